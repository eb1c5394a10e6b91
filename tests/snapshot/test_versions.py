"""Which version of an API a kind is read from, and where endpoints written by hand are looked for."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.clusters.reader import Plain, Reader
from fixtures.snapshot import live, raw
from fixtures.snapshot.kinds import by_model
from fixtures.snapshot.model.access import Endpoints
from fixtures.snapshot.model.istio import PeerAuthentication, VirtualService

VERSIONS = {"security.istio.io": ["v1", "v1beta1"], "networking.istio.io": ["v1beta1", "v1alpha3"]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were asked for. PeerAuthentication is served as v1beta1 only, though its group has v1."""
    paths: list[str] = []

    def get(client: Reader, path: str, *_: Any, **__: Any) -> raw.Response:
        paths.append(path)
        there = path.startswith(("/apis/security.istio.io/v1beta1/", "/apis/networking.istio.io/v1beta1/"))
        body = b'{"items": [{"metadata": {"name": "default", "namespace": "shop"}, "spec": {}}]}'
        return raw.Response(200 if there else 404, body if there else b"{}", live.datetime.now(live.UTC))

    monkeypatch.setattr(raw, "get", get)
    return paths


def test_a_kind_that_its_groups_newest_version_lacks_is_read_from_an_older_one(asked: list[str]) -> None:
    listing = live._list(Plain({"server": "http://localhost"}, {}), by_model(PeerAuthentication), VERSIONS)
    assert [each.name for each in listing.objects] == ["default"]
    assert asked == [f"/apis/security.istio.io/{v}/peerauthentications" for v in ("v1", "v1beta1")]


def test_versions_that_the_group_does_not_serve_are_not_asked_for(asked: list[str]) -> None:
    listing = live._list(Plain({"server": "http://localhost"}, {}), by_model(VirtualService), VERSIONS)
    assert len(listing.objects) == 1
    assert asked == ["/apis/networking.istio.io/v1beta1/virtualservices"]


def test_endpoints_are_read_from_manifests_only(asked: list[str]) -> None:
    live.read(Plain({"server": "http://localhost"}, {}), {})
    assert by_model(Endpoints).manifests_only
    assert not any(path.endswith("/endpoints") for path in asked)
