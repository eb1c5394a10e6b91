"""The judges of load tests on recordings of real ones (taken in the lab, with everything that was sampled), and on the
same recordings with one thing made worse."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from experiments.loads import catalogue
from experiments.loads.play import Budgets
from experiments.loads.recording import Recording
from experiments.loads.result import Figure, verdict
from fixtures.load.sampler import Look, Seen

FOLDER = Path(__file__).parent / "recordings"


def recorded(name: str) -> Recording:
    raw = gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes())
    return msgspec.json.decode(raw, type=Recording, strict=False)


def judged(name: str, play: str = "", budgets: dict[str, dict[str, float]] | None = None) -> dict[str, Figure]:
    return of(recorded(name), play or name, budgets)


def of(recording: Recording, play: str, budgets: dict[str, dict[str, float]] | None = None) -> dict[str, Figure]:
    """Figures by name; of several with one name the worst."""
    figures = catalogue.play(play).judge(recording, "", Budgets(budgets or {}))
    order = {"fail": 0, "unknown": 1, "pass": 2}
    return {f.name: f for f in sorted(figures, key=lambda f: -order[f.verdict])}


def changed(recording: Recording, change: Callable[[Look], Look], track: int = 0) -> Recording:
    recording.tracks[track].looks = [change(look) for look in recording.tracks[track].looks]
    return recording


# What really happened ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["manual-scaling", "rolling-update", "autoscaling", "twice-the-pods", "apart"])
def test_what_went_well_in_the_lab_passes(name: str) -> None:
    found = judged(name)
    assert verdict(list(found.values()))[0] == "pass", found
    assert recorded(name).bottleneck == ""


@pytest.mark.parametrize(
    ("name", "play", "lost"),
    [("manual-scaling-careless", "manual-scaling", 28), ("rolling-update-naive", "rolling-update", 5)],
)
def test_pods_without_grace_lost_requests(name: str, play: str, lost: int) -> None:
    errors = judged(name, play)["errors"]
    assert (errors.verdict, errors.value) == ("fail", lost)
    assert "connection closed" in errors.why


def test_the_scaler_decided_in_seconds_and_throughput_doubled() -> None:
    growing = judged("autoscaling")
    assert growing["decision"].value == pytest.approx(12.8, abs=0.1)
    assert growing["enough-pods"].value == pytest.approx(56.6, abs=0.1)
    assert growing["shrunk"].value == pytest.approx(34.0, abs=0.1)
    assert judged("twice-the-pods")["throughput-gain"].value == pytest.approx(1.97, abs=0.01)


def test_a_tighter_budget_of_the_profile_fails_it() -> None:
    assert judged("autoscaling", budgets={"ELA-01": {"decision": 10}})["decision"].verdict == "fail"


# One thing worse -----------------------------------------------------------------------------------------------------


def test_a_scaler_that_never_acts_has_failed() -> None:
    idle = changed(
        recorded("autoscaling"), lambda look: msgspec.structs.replace(look, wanted=2, decided=2, pods=look.pods[:2])
    )
    found = of(idle, "autoscaling")
    assert (found["decision"].verdict, found["decision"].never) == ("fail", True)
    assert found["shrunk"].verdict != "pass", "what never grew has not shrunk either"


def test_latency_that_stays_high_has_failed() -> None:
    slow = recorded("autoscaling")
    for second in slow.subject.seconds:
        second.latency = {180: second.ok}  # 6.5 s
    assert of(slow, "autoscaling")["latency-back"].never


def test_a_request_lost_while_it_shrank_is_of_shrinking_only() -> None:
    lossy = recorded("autoscaling")
    lossy.subject.seconds[-10].failed = 1
    figures = catalogue.play("autoscaling").judge(lossy, "", Budgets({}))
    errors = {f.control: f.verdict for f in figures if f.name == "error-ratio"}
    assert errors == {"ELA-01": "pass", "ELA-02": "fail"}


def test_a_number_of_replicas_that_goes_up_and_down_is_flapping() -> None:
    last = recorded("autoscaling").subject.looks[-1].at

    def flap(look: Look) -> Look:
        late = last - look.at < 30
        return msgspec.structs.replace(look, wanted=4 if int(last - look.at) % 10 < 5 else 2) if late else look

    turns = of(changed(recorded("autoscaling"), flap), "autoscaling")["turns"]
    assert turns.verdict == "fail"


def test_one_look_with_a_pod_too_few_breaks_the_promise() -> None:
    once = iter(range(1000))
    fewer = changed(
        recorded("rolling-update"),
        lambda look: msgspec.structs.replace(look, pods=look.pods[:2]) if next(once) == 90 else look,
    )
    assert of(fewer, "rolling-update")["least-ready"].verdict == "fail"


def test_one_look_with_a_pod_too_many_breaks_the_promise() -> None:
    once = iter(range(1000))
    more = tuple(Seen(name=f"more-{n}", ready=False, leaving=False) for n in range(2))
    crowded = changed(
        recorded("rolling-update"),
        lambda look: msgspec.structs.replace(look, pods=look.pods + more) if next(once) == 90 else look,
    )
    assert of(crowded, "rolling-update")["most-pods"].verdict == "fail"


def test_pods_on_their_way_out_are_not_counted() -> None:
    gone = tuple(Seen(name=f"gone-{n}", ready=False, leaving=True) for n in range(5))
    leaving = changed(recorded("rolling-update"), lambda look: msgspec.structs.replace(look, pods=look.pods + gone))
    assert of(leaving, "rolling-update")["most-pods"].verdict == "pass"


def test_a_pod_that_its_replica_set_was_told_to_remove_is_not_counted() -> None:
    """The last pod of a version that was overtaken, seen beside the first one of the next."""

    def overtaken(look: Look) -> Look:
        more = tuple(Seen(name=f"more-{n}", ready=False, leaving=False, revision="overtaken") for n in range(2))
        return msgspec.structs.replace(look, pods=look.pods + more, asked={"overtaken": 0})

    def wanted(look: Look) -> Look:
        return msgspec.structs.replace(overtaken(look), asked={"overtaken": 2})

    assert of(changed(recorded("rolling-update"), overtaken), "rolling-update")["most-pods"].verdict == "pass"
    assert of(changed(recorded("rolling-update"), wanted), "rolling-update")["most-pods"].verdict == "fail"


def test_traffic_to_a_bad_version_is_found() -> None:
    def served(look: Look) -> Look:
        return msgspec.structs.replace(look, serving=frozenset(p.name for p in look.pods))

    assert of(changed(recorded("rolling-update"), served), "rolling-update")["kept-out"].verdict == "fail"


def test_throughput_that_stays_has_failed() -> None:
    flat = recorded("twice-the-pods")
    flat.values["few_from"], flat.values["few_to"] = flat.values["many_from"], flat.values["many_to"]
    assert of(flat, "twice-the-pods")["throughput-gain"].verdict == "fail"


def test_a_neighbour_that_is_rolled_too_is_found() -> None:
    middle = recorded("apart").tracks[1].looks[20].at

    def rolled(look: Look) -> Look:
        new = tuple(msgspec.structs.replace(p, name=f"{p.name}-new") for p in look.pods)
        return msgspec.structs.replace(look, generation=look.generation + 1, pods=new) if look.at > middle else look

    found = of(changed(recorded("apart"), rolled, track=1), "apart")
    assert (found["neighbour-versions"].verdict, found["neighbour-pods"].verdict) == ("fail", "fail")


def test_without_looks_or_seconds_nothing_is_a_pass() -> None:
    for name in ("manual-scaling", "rolling-update", "autoscaling", "twice-the-pods", "apart"):
        empty = recorded(name)
        for track in empty.tracks:
            track.seconds, track.looks = [], []
        assert verdict(list(of(empty, name).values()))[0] != "pass", name
