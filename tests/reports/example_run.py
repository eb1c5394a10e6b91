"""A made-up run with plausible values, to look at reports and to test them. NOTHING IN IT WAS MEASURED.

    python tests/reports/example_run.py DIRECTORY [--findings N]

writes run.json and every report of it into DIRECTORY.
"""

from __future__ import annotations

import argparse
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # also as a script

from reports import formats, runs
from reports.model import (
    Bucket,
    Check,
    Cluster,
    Control,
    Corroboration,
    Experiment,
    Finding,
    Latency,
    Leadership,
    Node,
    Phase,
    Profile,
    Proof,
    Quantiles,
    Run,
    State,
    Statement,
    Target,
    Tool,
    Verdict,
    Waiver,
    Window,
    timestamp,
)
from tests.reports.example_load import apart, growing

LABEL = "TEST DATA, nothing measured"
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
REMEDY = "Set spec.replicas to 2 or more, or let a HorizontalPodAutoscaler with minReplicas ≥ 2 own the number."

# id, title, layer, severity, verdict, reason
CONTROLS = [
    ("SYS-01", "Three or more control plane nodes, an odd number of etcd members", "system", "critical", "pass", ""),
    (
        "SYS-02",
        "Every control plane node runs API server, controller-manager and scheduler",
        "system",
        "high",
        "pass",
        "",
    ),
    ("SYS-03", "Control plane nodes are spread over zones", "system", "high", "pass", ""),
    ("SYS-05", "The API is reached through a load balancer", "system", "critical", "pass", ""),
    ("SYS-06", "Leader election is on for controller-manager and scheduler", "system", "high", "pass", ""),
    ("SYS-08", "etcd has a leader and every member answers", "system", "critical", "pass", ""),
    ("SYS-09", "etcd has no alarm and room in its quota", "system", "high", "pass", ""),
    ("SYS-10", "Every node is Ready and under no pressure", "system", "high", "pass", ""),
    (
        "SYS-17",
        "No certificate expires within 30 days",
        "system",
        "high",
        "unknown",
        "secrets of kube-system are forbidden to this user",
    ),
    ("SYS-19", "CoreDNS runs at least two replicas on different nodes", "system", "high", "fail", ""),
    ("SYS-25", "Nodes of a zone can carry the load of a lost one", "system", "medium", "pass", ""),
    ("APP-01", "Every service runs at least two replicas", "application", "high", "fail", ""),
    ("APP-02", "Every serving container has a readiness probe", "application", "high", "fail", ""),
    ("APP-04", "Replicas are spread over nodes", "application", "high", "pass", ""),
    (
        "APP-09",
        "A PodDisruptionBudget leaves room for exactly the disruptions it should",
        "application",
        "medium",
        "waived",
        "single writer by design",
    ),
    ("APP-12", "Rolling updates keep the minimum available", "application", "high", "pass", ""),
    ("APP-13", "Requests and limits are set", "application", "medium", "pass", ""),
    ("APP-17", "No container runs from a moving tag", "application", "low", "pass", ""),
    ("ACC-01", "Every Service selects at least one ready pod", "access", "critical", "pass", ""),
    ("ACC-02", "Entry points have two or more ready backends on different nodes", "access", "high", "pass", ""),
    (
        "LCM-08",
        "GitOps applications prune and heal themselves",
        "lifecycle",
        "medium",
        "not-applicable",
        "no GitOps controller is installed",
    ),
    ("REC-01", "A killed pod costs no request and is replaced within its budget", "recovery", "critical", "pass", ""),
    ("REC-10", "The API is back within its budget after the leading master dies", "recovery", "critical", "pass", ""),
    ("REC-11", "The API survives the death of one API server", "recovery", "critical", "pass", ""),
    (
        "REC-12",
        "Another controller-manager takes over within its budget",
        "recovery",
        "high",
        "fail",
        "takeover took 6.4 s, budget 5 s",
    ),
]


def example(findings: int = 6) -> Run:
    """The run; `findings`: how many the two failing application controls have together."""
    run = Run(
        id="20260131T093000Z-4f1c",
        state=State.FINISHED,
        started=_at(0),
        finished=_at(431.6),
        tool=Tool(version="0.1.0"),
        cluster=Cluster(
            name=f"example ({LABEL})",
            provider="lab",
            distribution="kubeadm",
            version="v1.36.3",
            nodes=[_node("master", n) for n in (1, 2, 3)] + [_node("worker", n) for n in (1, 2, 3)],
        ),
        profile=Profile(
            name="lab",
            values={"min_replicas": 2, "budgets": {"F-01": {"app": 0}, "F-10": {"api-read": 1, "api-write": 4}}},
        ),
        timings="fast",
        controls=[_control(*row, findings=findings) for row in CONTROLS],
        experiments=[_pod_kill(), _apiserver_kill(), _master_power_cut(), _lease(), _unproven()],
        loads=[growing(), apart()],
    )
    run.summarize(exit_code=1)
    return run


def _at(seconds: float) -> str:
    return timestamp(START + timedelta(seconds=seconds))


def _node(kind: str, n: int) -> Node:
    last = (10 if kind == "master" else 20) + n
    role = "control-plane" if kind == "master" else "worker"
    return Node(
        name=f"{kind}-{n}", role=role, zone=f"zone-{'abc'[n - 1]}", address=f"198.18.0.{last}", version="v1.36.3"
    )


def _control(id_: str, title: str, layer: str, severity: str, verdict: str, reason: str, *, findings: int) -> Control:
    found = []
    if id_ == "SYS-19":
        found = [
            Finding(
                object="Deployment kube-system/coredns", path="spec.replicas", value=1, message="1 replica, 2 wanted"
            )
        ]
    elif id_ == "APP-01":
        found = [
            Finding(
                object=f"Deployment shop-{n // 40:03}/service-{n:05}",
                path="spec.replicas",
                value=1,
                message="1 replica, 2 wanted",
                file="manifests/shop.yaml" if n % 2 else None,
                line=17 + 40 * n if n % 2 else None,
            )
            for n in range(findings - findings // 3)
        ]
    elif id_ == "APP-02":
        found = [
            Finding(
                object=f"StatefulSet billing/ledger-{n}",
                path="spec.template.spec.containers[0].readinessProbe",
                value=None,
                message="container app serves port 8080 and has no readiness probe",
            )
            for n in range(findings // 3)
        ]
    elif id_ == "APP-09":
        found = [
            Finding(
                object="StatefulSet billing/batch-db",
                path="spec.replicas",
                value=1,
                message="no PodDisruptionBudget selects its pods",
                waiver=Waiver(
                    justification="single writer by design",
                    owner="platform-team",
                    expires="2026-06-30",
                    ticket="TICKET-123",
                ),
            )
        ]
    return Control(
        id=id_,
        title=title,
        layer=layer,
        severity=severity,
        verdict=Verdict(verdict),
        reason=reason,
        findings=found,
        duration_s=0.004,
        remedy=REMEDY if id_ == "APP-01" else "Change the named field; the guide has an example.",
        source="S0-31",
    )


def _target(
    name: str,
    budget: float | None,
    *,
    injected: float,
    outages: tuple[tuple[float, float], ...] = (),
    end: float = 30.0,
    seed: int = 1,
    slow: float = 0.0,
) -> Target:
    """A target probed every 50 ms from 10 s before the injection; `outages` are (start, duration) after it."""
    dice = random.Random(f"{name} {seed}")
    buckets, windows, failed = [], [], 0
    for n in range(-40, int(end * 4)):
        t = n * 0.25
        lost = sum(any(start <= t + k * 0.05 < start + length for start, length in outages) for k in range(5))
        failed += lost
        after_fault = 0 <= t < 4
        latency = dice.lognormvariate(-5.9, 0.35) + (slow * dice.random() if after_fault else 0.0)
        buckets.append(Bucket(t_s=t, ok=5 - lost, failed=lost, max_latency_s=latency if lost < 5 else None))
    for start, length in outages:
        windows.append(
            Window(
                start=_at(injected + start),
                end=_at(injected + start + length),
                duration_s=length,
                error_bar_s=0.05,
                failed=round(length / 0.05),
            )
        )
    longest = max((w.duration_s for w in windows), default=0.0)
    good = Quantiles(p50_s=0.0027, p99_s=0.0061, max_s=0.0094)
    return Target(
        name=name,
        kind="control" if name == "control" else "http",
        budget_s=budget,
        verdict=Verdict.PASS if budget is None or longest <= budget else Verdict.FAIL,
        requests=sum(b.ok + b.failed for b in buckets),
        failed=failed,
        longest_outage_s=longest,
        total_outage_s=sum(w.duration_s for w in windows),
        error_bar_s=0.05,
        windows=windows,
        latency=Latency(before=good, during=Quantiles(p50_s=0.0029, p99_s=0.011 + slow, max_s=0.02 + slow), after=good),
        timeline=buckets,
    )


def _experiment(
    name: str, fault: str, title: str, target: str, at: float, heal: float, healthy: float, **rest
) -> Experiment:
    defaults = {
        "verdict": Verdict.PASS,
        "started": _at(at - 12),
        "injected": _at(at),
        "proven": _at(at + 0.21),
        "healed": _at(at + heal),
        "healthy": _at(at + healthy),
        "finished": _at(at + healthy + 3),
        "driver": "lab",
    }
    return Experiment(name=name, fault=fault, title=title, target=target, **{**defaults, **rest})


def _phase(kind: str, at: float, since: float, what: str) -> Phase:
    return Phase(kind=kind, at=_at(at + since), since_injection_s=since, what=what)


def _pod_kill() -> Experiment:
    at = 60.0
    return _experiment(
        "pod-kill", "F-01", "Pod killed without grace", "Pod reference/web-7c9d5-x2x7p", at, 0.4, 3.1,
        proof=Proof(what="UID of the pod", before="0c3a…91", after="e77b…04", proven=True),
        phases=[
            _phase("detected", at, 0.12, "endpoint not ready"),
            _phase("acted", at, 0.31, "replacement pod created"),
            _phase("recovered", at, 2.9, "replacement Ready"),
        ],
        targets=[
            _target("app", 0.0, injected=at, end=12),
            _target("api-read", 1.0, injected=at, end=12),
            _target("control", None, injected=at, end=12),
        ],
    )  # fmt: skip


def _apiserver_kill() -> Experiment:
    at = 130.0
    return _experiment(
        "apiserver-kill", "F-11", "API server killed", "kube-apiserver on master-2", at, 0.2, 9.4,
        proof=Proof(what="container id of kube-apiserver on master-2", before="5ad1…", after="9f02…", proven=True),
        phases=[
            _phase("detected", at, 0.4, "balancer took the backend out"),
            _phase("recovered", at, 8.9, "/readyz of master-2 answers again"),
        ],
        targets=[
            _target("api-read", 1.0, injected=at, outages=((0.05, 0.1),), end=20, slow=0.05),
            _target("api-write", 1.0, injected=at, outages=((0.05, 0.35),), end=20, slow=0.2),
            _target("app", 0.0, injected=at, end=20),
            _target("control", None, injected=at, end=20),
        ],
        checks=[Check(name="acknowledged writes", verdict=Verdict.PASS, message="312 of 312 kept, none doubled")],
    )  # fmt: skip


def _master_power_cut() -> Experiment:
    at = 220.0
    return _experiment(
        "master-power-cut", "F-10", "The leading master loses power", "master-1, leader of all",
        at, 12.0, 26.5,
        proof=Proof(
            what="boot id, etcd term",
            before={"boot id": "3f21…", "etcd term": 4},
            after={"boot id": "off", "etcd term": 5},
            proven=True,
        ),
        phases=[
            _phase("detected", at, 0.62, "etcd lost its leader"),
            _phase("acted", at, 1.18, "etcd elected master-3"),
            _phase("acted", at, 3.3, "controller-manager lease: master-2"),
            _phase("acted", at, 3.9, "scheduler lease: master-3"),
            _phase("recovered", at, 2.25, "first good write"),
            _phase("recovered", at, 24.8, "master-1 Ready"),
        ],
        targets=[
            _target("api-read", 1.0, injected=at, outages=((0.1, 0.15),), end=34, slow=0.4),
            _target("api-write", 4.0, injected=at, outages=((0.1, 2.15), (5.5, 0.2)), end=34, slow=1.2),
            _target("app", 1.0, injected=at, end=34),
            _target("control", None, injected=at, end=34),
        ],
        checks=[
            Check(name="acknowledged writes", verdict=Verdict.PASS, message="578 of 578 kept, none doubled"),
            Check(name="single leader", verdict=Verdict.PASS, message="never two holders in 340 samples"),
            Check(
                name="prometheus-agrees", verdict=Verdict.UNKNOWN, judged=False,
                message="readiness: the API showed everything healthy at +26.5 s, Prometheus at +31.0 s ± 2.0",
            ),
        ],
        leaders=[
            Leadership(
                component="kube-scheduler", before="master-1", after="master-3",
                takeover_s=3.9, error_bar_s=0.1, ran_out_s=2.6, lease_s=3.0, transitions=1,
            ),
            Leadership(component="etcd", before="master-1", after="master-3", term_before=4, term_after=5),
        ],
        corroboration=Corroboration(
            source="http://127.0.0.1:19090",
            statements=[
                Statement(
                    name="targets", query="up", verdict=Verdict.PASS, resolution_s=2.0, lost_s=1.4, back_s=24.4,
                    message="5 of 22 were down (etcd master-1, kubelet master-1, scheduler master-1 and 2 more)",
                ),
                Statement(
                    name="errors of the API", query="apiserver_request_total", verdict=Verdict.NOT_APPLICABLE,
                    message="apiserver_request_total is not exported",
                ),
            ],
        ),
    )  # fmt: skip


def _lease() -> Experiment:
    at = 320.0
    return _experiment(
        "controller-manager-kill", "F-12", "The leading controller-manager dies", "kube-controller-manager on master-2",
        at, 0.3, 14.0,
        verdict=Verdict.FAIL,
        reason="takeover took 6.4 s, budget 5 s",
        proof=Proof(what="holder of Lease kube-controller-manager", before="master-2", after="master-1", proven=True),
        phases=[
            _phase("detected", at, 3.1, "lease expired"),
            _phase("acted", at, 6.4, "master-1 holds the lease"),
            _phase("recovered", at, 8.2, "a pod of a new Deployment runs"),
        ],
        targets=[
            _target("deploy", 5.0, injected=at, outages=((0.2, 6.4),), end=20),
            _target("api-read", 1.0, injected=at, end=20),
            _target("control", None, injected=at, outages=((11.0, 0.2),), end=20),
        ],
    )  # fmt: skip


def _unproven() -> Experiment:
    at = 400.0
    return _experiment(
        "worker-partition", "F-17", "A worker is cut off", "worker-2", at, 5.0, 8.0,
        verdict=Verdict.UNKNOWN,
        reason="injection not proven: the rule's counter stood still",
        proof=Proof(what="packets dropped by the rule", before=0, after=0, proven=False),
        proven=None,
        targets=[_target("app", 5.0, injected=at, end=14)],
        simulated=True,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--findings", type=int, default=6)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    made = example(options.findings)
    runs.write_run(made, options.directory)
    for write in formats.FORMATS.values():
        write(made, options.directory)
