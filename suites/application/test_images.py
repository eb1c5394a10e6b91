"""Images: what runs is what was tested."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.images import MOVING, parsed, used
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
    """Every container of every workload, Jobs and init containers too, of pods without one, and in manifests of Knative
    services: its image has a digest, or a tag that is not known to move (latest, stable, main, master, develop, dev,
    edge, nightly, canary, current, lts). No tag means latest. How many have a digest is said, not judged.
    """
    total, exact = 0, 0
    for subject, path, container in used(workloads):
        image = parsed(container.image)
        total, exact = total + 1, exact + bool(image.digest)
        pinned = bool(image.digest) or image.tag.lower() not in MOVING
        name = f"container {container.name}: " if container.name else ""
        expect(subject, pinned, f"{name}tag {image.tag!r} moves", path=path, value=container.image)
    if total:
        expect.note(f"{exact} of {total} images are pinned by digest")
