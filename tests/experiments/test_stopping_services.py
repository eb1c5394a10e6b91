"""Faults that hit one service of a node or of the cluster. Answers are made up; no cluster."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import inside, kubelet_stop, system_pods
from experiments.faults.coredns_kill import CorednsKill
from experiments.faults.fault import NoVictimError, Victim
from experiments.faults.kubelet_stop import KubeletStop
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster
from fixtures.safety.objects import Pod
from fixtures.safety.rest import RestError

KUBELET = Victim(kind="Service", name="kubelet", node="worker-1")
RUNTIME = Victim(kind="Service", name="containerd", node="worker-1")


def scene(**parts: Any) -> Scene:
    return cast(Scene, SimpleNamespace(app="Deployment shop/web", **parts))


def asks(answer: Callable[[str], bytes]) -> SimpleNamespace:
    return SimpleNamespace(request=lambda method, path, query=None, timeout_s=0.0: answer(path))


def refuse(text: str, status: int) -> Callable[[str], bytes]:
    def answer(path: str) -> bytes:
        raise RestError(f"GET {path}: {status} {text}", status)

    return answer


def pod(name: str, uid: str, ready: bool = True) -> Pod:
    body = {
        "metadata": {"name": name, "namespace": "kube-system", "uid": uid},
        "spec": {"nodeName": "worker-1"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }
    return msgspec.convert(body, Pod)


@pytest.mark.parametrize(
    ("readings", "said"), [(("1", "2"), "is renewed"), (("1", "1"), "stands still"), ((None, None), "stands still")]
)
def test_a_kubelet_that_stopped_renews_its_lease_no_more(
    monkeypatch: pytest.MonkeyPatch, readings: tuple[str, str], said: str
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("experiments.faults.kubelet_stop.time.sleep", slept.append)
    left = list(readings)

    def lease(node: str, namespace: str) -> SimpleNamespace:
        assert (node, namespace) == ("worker-1", "kube-node-lease")
        return SimpleNamespace(spec=SimpleNamespace(renew_time=left.pop(0), lease_duration_seconds=4))

    assert KubeletStop().evidence(scene(lease=lease), KUBELET) == {"Lease kube-node-lease/worker-1": said}
    assert slept == [2.0]  # two renewals fit in


def test_a_runtime_that_stopped_is_what_its_kubelet_can_not_ask() -> None:
    key = "running pods of worker-1"
    assert KubeletStop().evidence(scene(rest=asks(lambda path: b"{}")), RUNTIME) == {key: "known"}
    gone = scene(rest=asks(refuse("rpc error: connection refused", 500)))
    assert KubeletStop().evidence(gone, RUNTIME) == {key: "unknown to its kubelet"}


def test_a_kubelet_that_does_not_answer_proves_nothing_about_its_runtime() -> None:
    with pytest.raises(RestError):
        KubeletStop().evidence(scene(rest=asks(refuse("bad gateway", 502))), RUNTIME)


@pytest.mark.parametrize(("power", "started"), [("on", ["worker-1 kubelet"]), ("off", [])])
def test_a_service_is_started_again_unless_its_node_is_off(power: str, started: list[str]) -> None:
    done: list[str] = []
    cluster = SimpleNamespace(
        nodes=lambda: [SimpleNamespace(name="worker-1", power=power)],
        start_service=lambda node, service: done.append(f"{node} {service}"),
    )
    kubelet_stop.start_service(cast(Cluster, cluster), "worker-1", "kubelet")
    assert done == started


def test_each_killed_pod_must_be_gone_a_new_one_of_the_same_name_is_not_the_old_one() -> None:
    victim = system_pods.victim([pod("dns-1", "u1"), pod("dns-2", "u2")], "2 of 2 Ready")
    there = {"dns-1": pod("dns-1", "other"), "dns-2": pod("dns-2", "u2")}
    seen = system_pods.evidence(scene(pod=lambda namespace, name: there.get(name)), victim)
    assert seen == {"UID of dns-1": "gone", "UID of dns-2": "u2"}
    assert not CorednsKill().proven({"UID of dns-1": "u1", "UID of dns-2": "u2"}, seen)


def test_only_the_pods_chosen_are_killed_each_by_its_uid() -> None:
    deleted: list[tuple[str, Any]] = []
    rest = SimpleNamespace(delete=lambda path, body: deleted.append((path, body["preconditions"]["uid"])))
    system_pods.kill(scene(rest=rest), system_pods.victim([pod("dns-1", "u1")], ""))
    assert deleted == [("/api/v1/namespaces/kube-system/pods/dns-1", "u1")]


def look(at: float, old: set[AppPod], new: set[AppPod]) -> Change:
    return Change(at=at, since=at - 0.1, subject="pods/k8s-app=x", old=frozenset(old), new=frozenset(new))


def test_killed_pods_are_replaced_when_as_many_are_ready_as_before() -> None:
    one, two = AppPod("u1", "one", "n", True), AppPod("u2", "two", "n", True)
    three, four = AppPod("u3", "three", "n", True), AppPod("u4", "four", "n", True)
    changes = [look(1.0, {one, two}, set()), look(2.0, set(), {three}), look(3.0, {three}, {three, four})]
    assert system_pods.recovery(changes, "k8s-app=x", 0.5).seconds == 2.5
    assert system_pods.recovery(changes[:2], "k8s-app=x", 0.5).seconds is None
    assert [(s.kind, s.at) for s in system_pods.steps(changes, "k8s-app=x", 0.5)] == [
        ("recovered", 2.0),
        ("recovered", 3.0),
    ]


def names(answer: Callable[[str], bytes]) -> Scene:
    return scene(app_pods=lambda: [pod("web-1", "u9")], rest=asks(answer))


def test_a_lookup_that_fails_is_told_from_an_application_that_can_not_be_asked() -> None:
    assert inside.answered(names(lambda path: b"{}"))
    assert not inside.answered(names(refuse("lookup kubernetes.default.svc: server misbehaving", 400)))
    with pytest.raises(RestError):
        inside.answered(names(refuse("404 page not found", 404)))


def test_without_a_way_to_ask_for_names_dns_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_pods, "ready", lambda scene, selector: [pod("dns-1", "u1")])
    with pytest.raises(NoVictimError, match=r"can't be measured: Deployment shop/web does not answer /dial"):
        CorednsKill().choose(names(refuse("404 page not found", 404)), "all")
    assert CorednsKill().probes(names(refuse("404 page not found", 404))) == ()


def test_target_all_takes_every_dns_pod_and_target_one_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_pods, "ready", lambda scene, selector: [pod("dns-1", "u1"), pod("dns-2", "u2")])
    well = names(lambda path: b"{}")
    assert CorednsKill().choose(well, "one").name == "dns-1"
    assert CorednsKill().choose(well, "all").name == "dns-1,dns-2"
