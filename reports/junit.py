"""JUnit XML: one test suite a layer and one for the faults, one test case a control or experiment.

`fail` is a failure; `unknown`, `waived` and `not-applicable` are skipped with their reason, as they don't fail a run;
in a strict run an unknown control is a failure too. A run that did not finish has one more case, an error, so that a
half-judged cluster never looks green.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from reports import wording
from reports.model import Control, Experiment, Run, State, Verdict

MOST_FINDINGS = 200


def render(run: Run) -> str:
    """The document, valid for any names: what XML can't hold is written as an escape."""
    root = Element("testsuites", name="evenkeel")
    names = [name for name in wording.LAYERS if any(c.layer == name for c in run.controls)]
    names += sorted({c.layer for c in run.controls} - set(wording.LAYERS))
    for name in names:
        suite = _suite(root, run, name or "other")
        for control in run.controls:
            if control.layer == name:
                _control_case(suite, control, strict=run.strict)
    if run.experiments:
        suite = _suite(root, run, "experiments")
        for experiment in run.experiments:
            _experiment_case(suite, experiment)
    if run.problems:
        case = _case(_suite(root, run, "input"), "input", "everything could be read", 0.0)
        said = SubElement(case, "error", message=wording.count(len(run.problems), "problem"), type="unreadable")
        said.text = wording.printable("\n".join(run.problems[:MOST_FINDINGS]))
    if run.state is not State.FINISHED:
        case = _case(_suite(root, run, "run"), "run", "the run came to its end", 0.0)
        SubElement(case, "error", message=wording.headline(run), type=run.state.value)
    for suite in root:
        _count(suite, suite.iter("testcase"))
    _count(root, root.iter("testcase"))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, run: Run, name: str) -> Element:
    return SubElement(
        root,
        "testsuite",
        name=wording.one_line(f"evenkeel.{name}"),
        timestamp=run.started.removesuffix("Z"),
        hostname=wording.one_line(run.cluster.name),
    )


def _case(suite: Element, group: str, name: str, seconds: float) -> Element:
    return SubElement(
        suite,
        "testcase",
        classname=wording.one_line(f"evenkeel.{group}"),
        name=wording.one_line(name),
        time=f"{seconds:.3f}",
    )


def _control_case(suite: Element, control: Control, *, strict: bool) -> None:
    case = _case(suite, control.layer or "other", f"{control.id} {control.title}", control.duration_s)
    message = control.reason or wording.count(len(control.findings), "finding")
    lines = [
        f"{f.file}:{f.line or 1}: {f.object}: {f.message}" if f.file else f"{f.object}: {f.message}"
        for f in control.findings[:MOST_FINDINGS]
    ]
    if (more := len(control.findings) - MOST_FINDINGS) > 0:
        lines.append(f"and {more:,} more, in run.json")
    if control.remedy:
        lines.append(f"Remedy: {control.remedy}")
    _outcome(case, control.verdict, message, lines, strict=strict)


def _experiment_case(suite: Element, experiment: Experiment) -> None:
    seconds = wording.elapsed(experiment.started, experiment.finished) or 0.0
    name = " ".join(filter(None, [experiment.fault, experiment.name, experiment.target]))
    lines = [
        f"{t.name}: {t.verdict.value}: longest outage {wording.duration(t.longest_outage_s)} of"
        f" {wording.duration(t.budget_s)}, {t.failed} of {t.requests} requests failed"
        for t in experiment.targets
    ]
    lines += [f"{check.name}: {check.verdict.value}: {check.message}" for check in experiment.checks]
    message = experiment.reason or wording.against_budget(experiment)
    _outcome(_case(suite, "experiments", name, seconds), experiment.verdict, message, lines)


def _outcome(case: Element, verdict: Verdict, message: str, lines: list[str], *, strict: bool = False) -> None:
    if verdict is Verdict.PASS:
        return
    if verdict is Verdict.FAIL or (strict and verdict is Verdict.UNKNOWN):
        failure = SubElement(case, "failure", message=wording.one_line(message), type=verdict.value)
        failure.text = wording.printable("\n".join(lines))
    else:
        SubElement(case, "skipped", message=wording.one_line(f"{wording.VERDICT_WORDS[verdict]}: {message}"))


def _count(element: Element, cases: Iterable[Element]) -> None:
    cases = list(cases)
    element.set("tests", str(len(cases)))
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(kind, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
