"""What the client asks, and what it says when the answer is none."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from fixtures import watchers
from fixtures.prometheus.client import Prometheus, PrometheusError
from tests.prometheus.server import Said, serving


@pytest.fixture
def said() -> Iterator[Said]:
    with serving() as server:
        yield server


def test_samples_are_the_raw_ones_with_their_own_times(said: Said) -> None:
    said.answers["up[60s]"] = [{"metric": {"__name__": "up", "job": "etcd"}, "values": [[1.5, "1"], [2.625, "0"]]}]
    [series] = Prometheus(said.url).samples("up", at=100.0, over_s=60)
    assert said.asked == [("up[60s]", "100.000")]
    assert (series.labels, series.times, series.values) == ({"job": "etcd"}, [1.5, 2.625], [1, 0])


def test_the_clocks_are_compared(said: Said) -> None:
    said.answers["time()"] = [time.time() + 100, str(time.time() + 100)]
    clock = Prometheus(said.url).clock()
    assert 99 < clock.ahead_s < 101
    assert 0 <= clock.error_s < 1


def test_an_expression_without_a_value_is_none_and_not_zero(said: Said) -> None:
    assert Prometheus(said.url).value("sum(nothing)", at=1.0) is None


def test_a_silent_server_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(PrometheusError, match=r"no answer from http://127\.0\.0\.1"):
            Prometheus(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2).clock()
        assert time.monotonic() - began < 5


def test_another_server_than_a_prometheus_is_recognised(said: Said) -> None:
    said.body = b"<html>welcome</html>"
    with pytest.raises(PrometheusError, match="not as a Prometheus"):
        Prometheus(said.url).clock()


def test_a_refusal_is_told_with_its_status(said: Said) -> None:
    said.status, said.body = 401, b"who are you"
    with pytest.raises(PrometheusError, match="401"):
        Prometheus(said.url).clock()


def test_the_password_of_the_address_is_sent_and_never_said(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    url = said.url.replace("http://", "http://me:s3cret@")
    said.answers["time()"] = [0, "1"]
    prometheus = Prometheus(url)
    prometheus.clock()
    assert said.headers[0]["Authorization"].startswith("Basic ")
    said.status = 500
    with pytest.raises(PrometheusError) as caught:
        prometheus.clock()
    assert "s3cret" not in str(caught.value) + prometheus.address


def test_a_token_comes_from_the_environment(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_TOKEN", "abc")
    said.answers["time()"] = [0, "1"]
    Prometheus(said.url).clock()
    assert said.headers[0]["Authorization"] == "Bearer abc"


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://host", "http://", ""])
def test_what_is_no_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(PrometheusError, match=r"http://127\.0\.0\.1:9090"):
        Prometheus(url)


def test_an_address_given_by_hand_must_answer() -> None:
    with pytest.raises(watchers.WatcherError, match="--prometheus-url: no answer"):
        watchers.check("http://127.0.0.1:1", "")
