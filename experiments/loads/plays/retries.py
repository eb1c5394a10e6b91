"""ELA-10: customers retry while what serves them dies; every order is made once, and none that was promised is lost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from experiments.checks import operations
from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording
from experiments.loads.result import Figure
from experiments.loads.stage import NODE_PORTS, Stage
from experiments.loads.strike import possible, strike, struck
from fixtures.load.traffic import Traffic
from fixtures.safety.rest import name
from fixtures.subjects import orders

CONTROL = "ELA-10"
TRACK, LEDGER = "orders", "orders.ledger"
RATE, PATIENCE_S = 12.0, 20.0  # orders a second, seconds that a customer tries for
PODS_S, WITH_NODES_S = 18.0, 36.0  # seconds of load
PAGE = 500


class _ConfigMap(msgspec.Struct):
    data: dict[str, str] = {}


class _Metadata(msgspec.Struct):
    continue_: str = msgspec.field(default="", name="continue")


class _ConfigMaps(msgspec.Struct):
    metadata: _Metadata
    items: list[_ConfigMap] = []


class Retries(Play):
    """Pods of the service, its gateway, and a worker with some of both, one after the other."""

    name = "retries"
    title = "Orders with retries while pods, gateway and a node die"
    controls = (CONTROL,)
    variants: ClassVar[Mapping[str, str]] = {
        orders.IDEMPOTENT: "the service makes an order once for each key",
        orders.NAIVE: "the service makes an order for each try: retries must double some",
    }
    takes_s = 90

    def run(self, stage: Stage) -> None:
        subject = orders.orders(NODE_PORTS[0], stage.variant)
        stage.put(subject)
        service = stage.workload(orders.SERVICE, service=orders.SERVICE)
        gateway = stage.workload(orders.GATEWAY, service=orders.GATEWAY)
        stage.watch({TRACK: service, orders.GATEWAY: gateway})
        stage.wait_ready(service, 3, 90)
        stage.wait_ready(gateway, 2, 60)
        stage.wait_answering(path="/healthz")
        nodes = stage.variant == orders.IDEMPOTENT and possible(stage, "F-04")
        hold_s = WITH_NODES_S if nodes else PODS_S
        knocking = stage.knock(TRACK, _traffic(stage.host(), hold_s))
        began = stage.mark("load", f"{RATE:g} orders a second, each tried for up to {PATIENCE_S:g} s")
        # SIGKILL: a pod that is deleted, even without grace, is told to end and finishes what it has begun.
        crash = ("F-02", "any") if possible(stage, "F-02") else ("F-01", "kill")
        victims = {orders.SERVICE: (service, 3), orders.GATEWAY: (gateway, 2)}
        for second, app in enumerate((orders.SERVICE, orders.GATEWAY, orders.SERVICE, orders.SERVICE)):
            time.sleep(max(0.0, began + 1 + 3 * second - time.monotonic()))
            stage.wait_ready(*victims[app])
            strike(stage, *crash, app)
        if nodes:
            stage.wait_ready(service, 3)
            stage.wait_ready(gateway, 2)
            with struck(stage, "F-04", "worker", orders.SERVICE):
                time.sleep(max(3.0, began + hold_s - time.monotonic()))
        knocking.wait()
        stage.mark("ended", "the last customer left")
        _balance(stage, knocking.record / LEDGER)

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        values = recording.values
        acknowledged, retried = values.get("acknowledged", 0), values.get("retried", 0)
        # Without a single retry nothing was put to the test, and without an acknowledgement nothing was promised. What
        # was doubled was retried, if not by its customer then by the gateway.
        tested = bool(acknowledged and (retried or values.get("doubled")))
        text = f"of {acknowledged:.0f} acknowledged orders, {retried:.0f} of them tried more than once"

        def count(key: str, what: str) -> Figure:
            value = values.get(key) if tested else None
            budget = budgets.of(CONTROL, key, 0)
            return Figure(
                control=CONTROL, name=key, what=f"{value or 0:g} {what} {text}", value=value, budget=budget, unit=""
            )

        return [
            count("lost", "lost"),
            count("doubled", "made more than once"),
            count("given-up", f"given up after {PATIENCE_S:g} s beside those,"),
            Figure(
                control=CONTROL,
                name="longest-order",
                what=f"the slowest order took {values.get('longest', 0):.2f} s with all its tries",
                value=values.get("longest"),
            ),
        ]


def _traffic(host: str, hold_s: float) -> Traffic:
    return Traffic(
        user="orders",
        shape="soak",
        host=host,
        peak=RATE,
        per_user=2,
        warm=1,
        hold=hold_s,
        cool=1,
        parameters={"ledger": LEDGER, "timeout": 2, "patience": PATIENCE_S},
    )


def _balance(stage: Stage, ledger: Path) -> None:
    """The ledger against what the store has now."""
    kept = _kept(stage)
    found = operations.account(operations.read(ledger), kept)
    stage.values |= {
        "acknowledged": found.acknowledged,
        "retried": found.retried,
        "given-up": found.given_up,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "longest": found.longest_s,
        "kept": len(kept),
    }


def _kept(stage: Stage) -> list[str]:
    """The key of every order in the store, read with a quorum. Raises `RestError`."""
    found: list[str] = []
    query: dict[str, str | int] = {"labelSelector": orders.SELECTOR, "limit": PAGE}
    while True:
        page = stage.rest.get(
            f"/api/v1/namespaces/{name(stage.namespace)}/configmaps", _ConfigMaps, query, timeout_s=15.0
        )
        found += [one.data["key"] for one in page.items]
        if not page.metadata.continue_:
            return found
        query["continue"] = page.metadata.continue_
