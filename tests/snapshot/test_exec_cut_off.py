"""An exec whose API server ends in the middle of it: what was asked for is unreadable, and the audit goes on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from websocket import WebSocketConnectionClosedException

from fixtures.snapshot.evidence import etcd, pods
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.snapshot import Unreadable

POD = msgspec.convert({"kind": "Pod", "metadata": {"name": "etcd-master-1", "namespace": "kube-system"}}, Pod)


class CutOff:
    """A channel whose other end goes away."""

    closed = False

    def run_forever(self, timeout: float) -> None:
        raise WebSocketConnectionClosedException("Connection to remote host was lost.")

    def close(self) -> None:
        self.closed = True


class Client:
    official = None


def test_etcd_is_unreadable_when_the_connection_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = CutOff()
    monkeypatch.setattr(pods, "of_component", lambda client, component: [POD])
    monkeypatch.setattr("kubernetes.stream.stream", lambda *_, **__: channel)
    client: Any = Client()
    with pytest.raises(Unreadable, match="cut off"):
        etcd.ask(client)
    assert channel.closed
