"""Images: what runs is what was tested."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.images import MOVING, parsed
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-28",
    "Every image is pinned to a version",
    severity="medium",
    reason="A tag that moves gives a restarted pod other code than its neighbours, and a rollback the version that it "
    "was to undo.",
    remedy="Name a version in the tag; better, add its digest (image:1.2.3@sha256:…), which can't be moved at all.",
    source="S1-10, S0-2",
)
def test_images_pinned(workloads: Workloads, expect: Expect) -> None:
    """Every container of every workload, Jobs and init containers too: its image has a digest, or a tag that is not
    known to move (latest, stable, main, master, develop, dev, edge, nightly, canary, current, lts). No tag means
    latest. How many have a digest is said, not judged.
    """
    total, exact = 0, 0
    for workload in workloads.all():
        for field, containers in (
            ("initContainers", workload.spec.init_containers),
            ("containers", workload.spec.containers),
        ):
            for number, container in enumerate(containers or ()):
                if not container.image:
                    continue  # APP-33 names it
                image = parsed(container.image)
                total, exact = total + 1, exact + bool(image.digest)
                pinned = bool(image.digest) or image.tag.lower() not in MOVING
                message = f"container {container.name}: tag {image.tag!r} moves"
                path = f"{workload.template_path}.spec.{field}[{number}].image"
                expect(workload, pinned, message, path=path, value=container.image)
    if total:
        expect.note(f"{exact} of {total} images are pinned by digest")
