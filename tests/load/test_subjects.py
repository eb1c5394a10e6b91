"""Subjects are manifests that a cluster can take: every word filled, every image known, programs left as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.loads.stage import NODE_PORTS
from fixtures.clusters.lab.layout import DOOR_NODE_PORTS
from fixtures.clusters.lab.supply.extras import catalogue
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.subjects import adapter, consumer, kiosk, orders, sleeper
from fixtures.subjects.subject import Subject

PORT = NODE_PORTS[0]
EVERY = {
    "orders": orders.orders(PORT),
    "naive orders": orders.orders(PORT, orders.NAIVE),
    **{
        f"kiosk, {g}, {limited}": kiosk.kiosk(PORT, g, limited=limited)
        for g in ("haproxy", "envoy")
        for limited in (1, 0)
    },
    "sleeper": sleeper.sleeper(PORT),
    "sleeper by KEDA": sleeper.by_keda("http://198.18.0.1:9090", least=0, per_pod=10),
    "sleeper by metric": sleeper.by_metric("requests", per_pod=10),
    "consumer": consumer.consumer(PORT),
    "adapter": adapter.adapter("http://198.18.0.1:9090", sleeper.query("here")),
}


@pytest.mark.parametrize("subject", EVERY.values(), ids=EVERY.keys())
def test_every_word_is_filled_and_every_image_can_be_had(subject: Subject) -> None:
    objects = subject.objects("here")
    for one in objects:
        assert {"apiVersion", "kind", "metadata"} <= one.keys()
        if one["kind"] != "ConfigMap":
            assert "${" not in json.dumps(one)
    known = {*IMAGES.values(), *catalogue.extras()}
    assert set(subject.images.values()) <= known
    for container in containers(objects):
        assert container["image"] in known
        assert container["imagePullPolicy"] == "IfNotPresent"
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("subject", EVERY.values(), ids=EVERY.keys())
def test_what_is_reached_from_outside_is_reached_by_a_door(subject: Subject) -> None:
    ports = [
        p["nodePort"]
        for o in subject.objects("here")
        if o["kind"] == "Service"
        for p in o["spec"]["ports"]
        if "nodePort" in p
    ]
    assert all(port in DOOR_NODE_PORTS for port in ports)


def test_the_query_arrives_as_it_was_written() -> None:
    environment = containers(EVERY["adapter"].objects("here"))[0]["env"]
    assert {"name": "QUERY", "value": sleeper.query("here")} in environment
    assert {"name": "METRIC", "value": adapter.METRIC} in environment


def test_a_holding_gateway_holds_for_as_long_as_it_says() -> None:
    (config,) = (o for o in sleeper.sleeper(PORT).objects("here") if o["kind"] == "ConfigMap")
    text = config["data"]["haproxy.cfg"]
    assert f"retries {sleeper.HELD_S * 4}" in text
    assert "timeout connect 250ms" in text
    (config,) = (o for o in sleeper.sleeper(PORT, holding=False).objects("here") if o["kind"] == "ConfigMap")
    assert "retries 0" in config["data"]["haproxy.cfg"]


def containers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [c for o in objects if o["kind"] == "Deployment" for c in o["spec"]["template"]["spec"]["containers"]]
