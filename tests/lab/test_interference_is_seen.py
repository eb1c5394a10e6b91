"""What must hold around every fault fails when somebody breaks it meanwhile: a write taken away, a Lease stolen,
another component killed, a bad object left behind. One experiment shows all four, each to its own control."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest

from experiments import runner
from experiments.result import Result
from fixtures.clusters.lab.lab import Lab
from fixtures.profiles import profile as profiles
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.rest import Rest, RestError
from fixtures.snapshot.model.cluster import Lease
from fixtures.verdict import Outcome
from tests.recovery import seen_failing as seen
from tests.recovery.seen_failing import reasons, seen_failing

pytestmark = [pytest.mark.lab, pytest.mark.nightly]

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
SERVICE = "/api/v1/namespaces/reference/services"
WRITES = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


class _Metadata(msgspec.Struct):
    name: str


class _Named(msgspec.Struct):
    metadata: _Metadata


class _ConfigMaps(msgspec.Struct):
    items: list[_Named] = []


class Meddler(threading.Thread):
    """Waits until the leading controller-manager is killed, then does everything that must not happen."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(daemon=True)
        self.lab, self.rest = lab, Rest.of(lab)
        self.done: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        masters = [n.name for n in self.lab.nodes() if n.role == "control-plane"]
        leader = self._leader()[0]
        known = self._pids(leader)
        while not self.over.is_set() and self._pids(leader) == known:
            time.sleep(0.05)
        if self.over.is_set():
            return
        self._steal()
        self.lab.kill(next(m for m in masters if m != leader), "kube-scheduler")
        self.done.append("killed a scheduler")
        ports = [{"port": 80, "targetPort": "nobody-has-it"}]
        self.rest.post(
            SERVICE, {"metadata": {"name": "left-behind"}, "spec": {"selector": {"app": "web"}, "ports": ports}}
        )
        self.done.append("left a Service behind")
        written = self.rest.get(WRITES, _ConfigMaps, {"limit": 5}).items
        # every namespace also has a ConfigMap with the cluster's authority
        self.rest.delete(f"{WRITES}/{next(w for w in written if w.metadata.name.startswith('write-')).metadata.name}")
        self.done.append("took a write away")

    def _leader(self) -> tuple[str, int]:
        spec = self.rest.get(LEASE, Lease).spec
        return (spec.holder_identity or "").rpartition("_")[0], spec.lease_transitions or 0

    def _pids(self, node: str) -> str:
        return self.lab.exec(node, ["pidof", "kube-controller-manager"]).stdout.strip()

    def _steal(self) -> None:
        """As a component would that does not wait for the Lease of the one before to run out."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        spec = {"holderIdentity": "meddler_1", "acquireTime": now, "renewTime": now}
        self.rest.merge(LEASE, {"spec": {**spec, "leaseTransitions": self._leader()[1] + 1}})
        self.done.append("stole the Lease")


@pytest.fixture(scope="module")
def meddled(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    settings = runner.settings_for(lab, allow_disruption=True, run_directory=str(tmp_path_factory.mktemp("meddled")))
    meddler = Meddler(lab)
    meddler.start()
    try:
        result = runner.run("controller-manager-kill", settings, audits=runner.audits_for(settings))
        assert len(meddler.done) == 4, meddler.done
        yield result
    finally:
        meddler.over.set()
        with suppress(RestError):
            meddler.rest.delete(f"{SERVICE}/left-behind")
        runner.leave(settings)


def judged(control: str, result: Result) -> Outcome:
    def never(name: str, target: str = "") -> Result:
        pytest.fail(f"{control} runs {name} itself")

    return seen.judged(control, never, profiles.load("lab"), [result])


@seen_failing("REC-40")
def test_an_object_left_behind_is_found(meddled: Result) -> None:
    outcome = judged("REC-40", meddled)
    assert outcome.verdict == "fail", outcome.reason
    assert "ACC-01 Service reference/left-behind" in reasons(outcome)


@seen_failing("REC-41")
def test_a_write_that_is_gone_is_found(meddled: Result) -> None:
    outcome = judged("REC-41", meddled)
    assert outcome.verdict == "fail", outcome.reason
    assert "1 acknowledged but lost" in reasons(outcome)


@seen_failing("REC-42")
def test_a_lease_taken_before_it_ran_out_is_found(meddled: Result) -> None:
    outcome = judged("REC-42", meddled)
    assert outcome.verdict == "fail", outcome.reason
    assert "kube-controller-manager: meddler_1 took over" in reasons(outcome)


@seen_failing("REC-46")
def test_a_component_that_restarts_with_another_is_found(meddled: Result) -> None:
    outcome = judged("REC-46", meddled)
    assert outcome.verdict == "fail", outcome.reason
    assert "kube-scheduler" in reasons(outcome)
