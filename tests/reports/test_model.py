"""run.json says what was put into it, and only what fits the schema."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from reports.model import (
    Bucket,
    Control,
    Experiment,
    Finding,
    Run,
    State,
    Tally,
    Target,
    Verdict,
    decode,
    encode,
    moment,
    timestamp,
)

STARTED = "2026-01-31T09:30:00.000Z"


def a_control(verdict: Verdict) -> Control:
    return Control(id="APP-01", title="Every service runs at least two replicas", layer="application", verdict=verdict)


def a_run(*verdicts: Verdict, state: State = State.FINISHED) -> Run:
    run = Run(id="20260131T093000Z-4f1c", started=STARTED, state=state, controls=[a_control(v) for v in verdicts])
    run.summarize()
    return run


def test_a_run_survives_writing_and_reading() -> None:
    run = a_run(Verdict.FAIL)
    run.controls[0].findings.append(
        Finding(object="Deployment shop/cart", value={"replicas": 1}, file="a.yaml", line=3)
    )
    run.experiments.append(
        Experiment(
            name="pod-kill",
            verdict=Verdict.PASS,
            targets=[
                Target(
                    name="app",
                    verdict=Verdict.PASS,
                    timeline=[Bucket(t_s=-0.25, ok=5, failed=0, max_latency_s=0.003)],
                )
            ],
        )
    )
    assert decode(encode(run)) == run


def test_a_bucket_is_written_as_an_array_of_four() -> None:
    assert msgspec.json.encode(Bucket(t_s=0.25, ok=4, failed=1, max_latency_s=None)) == b"[0.25,4,1,null]"


def test_the_summary_is_written_with_the_verdicts_own_names() -> None:
    raw = msgspec.json.decode(encode(a_run(Verdict.PASS, Verdict.NOT_APPLICABLE)))
    assert raw["summary"]["controls"] == {"pass": 1, "fail": 0, "unknown": 0, "waived": 0, "not-applicable": 1}
    assert raw["schema"] == "evenkeel.run/v1"


def test_every_verdict_is_counted() -> None:
    tally = Tally.of([*Verdict, Verdict.FAIL])
    assert [tally.count(v) for v in Verdict] == [1, 2, 1, 1, 1]
    assert tally.total == 6


@pytest.mark.parametrize(
    ("verdicts", "state", "expected"),
    [
        ([Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN], State.FINISHED, Verdict.FAIL),
        ([Verdict.PASS, Verdict.UNKNOWN], State.FINISHED, Verdict.UNKNOWN),
        ([Verdict.PASS, Verdict.WAIVED, Verdict.NOT_APPLICABLE], State.FINISHED, Verdict.PASS),
        ([Verdict.WAIVED, Verdict.NOT_APPLICABLE], State.FINISHED, Verdict.WAIVED),
        ([Verdict.NOT_APPLICABLE], State.FINISHED, Verdict.NOT_APPLICABLE),
        ([], State.FINISHED, Verdict.NOT_APPLICABLE),
        ([Verdict.PASS], State.INTERRUPTED, Verdict.UNKNOWN),
        ([Verdict.PASS], State.RUNNING, Verdict.UNKNOWN),
        ([Verdict.FAIL], State.INTERRUPTED, Verdict.FAIL),
    ],
)
def test_the_verdict_of_a_run_is_the_worst_it_saw(verdicts: list[Verdict], state: State, expected: Verdict) -> None:
    assert a_run(*verdicts, state=state).summary.verdict is expected


@pytest.mark.parametrize(
    "broken",
    [
        b'{"schema":"evenkeel.run/v2","id":"x","started":"2026-01-31T09:30:00Z"}',
        b'{"schema":"evenkeel.run/v1","id":"x","started":"yesterday"}',
        b'{"schema":"evenkeel.run/v1","id":"x","started":"2026-01-31T09:30:00Z","controls":[{"id":"APP-01"}]}',
        b'{"schema":"evenkeel.run/v1","started":"2026-01-31T09:30:00Z"}',
    ],
)
def test_what_is_no_run_is_refused(broken: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(broken)


def test_fields_of_a_newer_version_are_ignored() -> None:
    raw = msgspec.json.decode(encode(a_run(Verdict.PASS)))
    raw["invented_later"] = raw["controls"][0]["invented_later"] = 1
    assert decode(msgspec.json.encode(raw)).controls[0].id == "APP-01"


def test_times_are_utc_with_milliseconds() -> None:
    assert timestamp(datetime.fromisoformat("2026-01-31T10:30:00.1239+01:00")) == "2026-01-31T09:30:00.123Z"
    assert moment("2026-01-31T09:30:00.123Z") == datetime.fromisoformat("2026-01-31T10:30:00.123+01:00")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 1, 31))


def test_a_text_that_utf8_cannot_hold_is_escaped_not_fatal() -> None:
    run = a_run(Verdict.FAIL)
    run.controls[0].findings.append(Finding(object="Deployment a/b", file="shop-\udcff.yaml", value={"\ud800": ["x"]}))
    finding = decode(encode(run)).controls[0].findings[0]
    assert (finding.file, finding.value) == ("shop-\\udcff.yaml", {"\\ud800": ["x"]})
