"""Allure results (the format that Allure 2 and 3 both read), made from run.json.

`fail` is failed, `unknown` is broken (trouble with the environment), `waived` and `not-applicable` are skipped. The
phases, targets and checks of a fault are its steps. Why these and not allure-pytest's own results:
docs/decisions/0005-reports-from-one-model.md.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import msgspec
from allure_commons.model2 import Label, Parameter, Status, StatusDetails, TestResult, TestStepResult
from attr import asdict

from reports import wording
from reports.markdown import escaped
from reports.model import Control, Experiment, Run, Target, Verdict, moment

STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.FAIL: Status.FAILED,
    Verdict.UNKNOWN: Status.BROKEN,
    Verdict.WAIVED: Status.SKIPPED,
    Verdict.NOT_APPLICABLE: Status.SKIPPED,
}
SEVERITY = {"critical": "blocker", "high": "critical", "medium": "normal", "low": "minor", "info": "trivial"}
CATEGORIES = [
    {"name": "Controls and faults that failed", "matchedStatuses": [Status.FAILED]},
    {"name": "Could not be judged", "matchedStatuses": [Status.BROKEN]},
    {"name": "Waived", "matchedStatuses": [Status.SKIPPED], "messageRegex": "waived: .*"},
    {"name": "Not applicable", "matchedStatuses": [Status.SKIPPED], "messageRegex": "not applicable: .*"},
]
MOST_FINDINGS = 200
_OURS = uuid.uuid5(uuid.NAMESPACE_DNS, "evenkeel.dev")


def render(run: Run) -> dict[str, bytes]:
    """The files of a results directory, by name. Ids depend on the run and the control alone: rendering again replaces,
    and `historyId` joins the same control of different runs."""
    files = {
        "environment.properties": _environment(run).encode("ascii"),
        "categories.json": msgspec.json.encode(CATEGORIES),
    }
    results = [_control(run, control) for control in run.controls]
    results += [_experiment(run, experiment) for experiment in run.experiments]
    for n, result in enumerate(results):
        result.uuid = str(uuid.uuid5(_OURS, f"{run.id} {n} {result.fullName}"))
        result.historyId = result.testCaseId = uuid.uuid5(
            _OURS, wording.printable(f"{run.cluster.name} {result.fullName}")
        ).hex
        content = asdict(result, filter=lambda _, value: value or value is False or value == 0)
        files[f"{result.uuid}-result.json"] = msgspec.json.encode(content)
    return files


def _control(run: Run, control: Control) -> Any:
    start = moment(run.started)  # a control's own start is not recorded: only its duration says something
    findings = [f"{f.object}: {f.path}: {f.message}" for f in control.findings[:MOST_FINDINGS]]
    if (more := len(control.findings) - MOST_FINDINGS) > 0:
        findings.append(f"and {more:,} more, in run.json")
    return TestResult(
        name=wording.one_line(f"{control.id} {control.title}"),
        fullName=wording.one_line(f"evenkeel.{control.layer}.{control.id}"),
        status=STATUS[control.verdict],
        statusDetails=_details(control.verdict, control.reason, findings),
        stage="finished",
        start=_ms(start.timestamp()),
        stop=_ms((start + timedelta(seconds=control.duration_s)).timestamp()),
        description="\n\n".join(
            f"**{name}:** {escaped(said)}"
            for name, said in (("Remedy", control.remedy), ("Source", control.source))
            if said
        ),
        labels=_labels(
            run,
            epic="Audit",
            feature=wording.layer(control.layer),
            layer=control.layer,
            severity=SEVERITY.get(control.severity, "normal"),
            tag=control.id,
        ),
    )


def _experiment(run: Run, experiment: Experiment) -> Any:
    e = experiment
    parameters = {"target": e.target, "driver": e.driver, "timings": run.timings, "simulated": str(e.simulated).lower()}
    return TestResult(
        name=wording.one_line(f"{e.fault} {e.title or e.name}"),
        fullName=wording.one_line(f"evenkeel.experiment.{e.name}.{e.target}"),
        status=STATUS[e.verdict],
        statusDetails=_details(e.verdict, e.reason or wording.against_budget(e), []),
        stage="finished",
        start=_at(e.started) or _at(run.started),
        stop=_at(e.finished) or _at(e.started) or _at(run.started),
        steps=_steps(e),
        parameters=[Parameter(name=k, value=wording.one_line(v)) for k, v in parameters.items() if v],
        labels=_labels(
            run, epic="Faults", feature=e.fault, layer="recovery", severity="critical", tag=e.fault or "experiment"
        ),
    )


def _steps(experiment: Experiment) -> list[Any]:
    e = experiment
    steps = []
    if e.injected:
        steps.append(_step(f"Injected: {e.title or e.name} on {e.target}", Status.PASSED, e.injected, e.proven))
    if e.proof.what:
        shown = f"{e.proof.what}: {wording.plain(e.proof.before)} → {wording.plain(e.proof.after)}"
        steps.append(_step(f"Proof: {shown}", Status.PASSED if e.proof.proven else Status.BROKEN, e.proven))
    steps += [
        _step(f"{p.kind.capitalize()} after {wording.duration(p.since_injection_s)}: {p.what}", Status.PASSED, p.at)
        for p in e.phases
    ]
    if e.healed:
        steps.append(_step("Healed", Status.PASSED, e.healed, e.healthy))
    if e.healthy:
        steps.append(_step("Healthy again", Status.PASSED, e.healthy))
    steps += [_step(_outage(target), STATUS[target.verdict], e.injected, e.finished) for target in e.targets]
    steps += [_step(f"{c.name}: {c.message}", STATUS[c.verdict], e.healthy, e.finished) for c in e.checks]
    return steps


def _outage(target: Target) -> str:
    budget = f" of {wording.duration(target.budget_s)} allowed" if target.budget_s is not None else ", observed only"
    return (
        f"{target.name}: longest outage {wording.duration(target.longest_outage_s)}"
        f" ± {wording.duration(target.error_bar_s)}{budget}; {target.failed} of {target.requests} requests failed"
    )


def _step(name: str, status: str, start: str | None, stop: str | None = None) -> Any:
    return TestStepResult(
        name=wording.one_line(name), status=status, stage="finished", start=_at(start), stop=_at(stop) or _at(start)
    )


def _details(verdict: Verdict, reason: str, findings: list[str]) -> Any:
    if verdict is Verdict.PASS:
        return None
    message = reason or wording.count(len(findings), "finding")
    return StatusDetails(
        message=wording.one_line(f"{wording.VERDICT_WORDS[verdict]}: {message}"),
        trace=wording.printable("\n".join(findings)),
    )


def _labels(run: Run, **labels: str) -> list[Any]:
    labels = {
        **labels,
        "suite": f"evenkeel {labels['epic'].lower()}",
        "framework": "evenkeel",
        "host": run.cluster.name,
    }
    return [Label(name=name, value=wording.one_line(value)) for name, value in labels.items() if value]


def _environment(run: Run) -> str:
    """Java properties: escapes for everything outside ASCII and for what would end a line or a key."""
    facts = {
        "Run": run.id,
        "Cluster": run.cluster.name,
        "Provider": run.cluster.provider,
        "Distribution": run.cluster.distribution,
        "Kubernetes": run.cluster.version,
        "Nodes": str(len(run.cluster.nodes)),
        "Profile": run.profile.name,
        "Timings": run.timings,
        "Evenkeel": run.tool.version,
    }
    lines = [f"{name}={wording.one_line(value)}" for name, value in facts.items() if value]
    return "".join(f"{_properties_escaped(line)}\n" for line in lines)


def _properties_escaped(text: str) -> str:
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    numbers = [int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2)]
    return "".join(chr(n) if 32 <= n < 127 else f"\\u{n:04x}" for n in numbers)


def _at(text: str | None) -> int | None:
    return None if text is None else _ms(moment(text).timestamp())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
