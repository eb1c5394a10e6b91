"""Balancers that don't balance, or don't look."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from experiments.faults import members
from fixtures.clusters.lab import state
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import BALANCERS
from fixtures.safety.rest import Rest, RestError

WITHIN_S = 60.0


def followers(lab: Lab) -> list[str]:
    """The masters whose member of etcd follows, in the order in which faults choose them."""
    leader, _ = members.leader(lab)
    return [node for node in members.masters(lab) if node != leader]


@contextmanager
def knows_the_leader_only(lab: Lab) -> Iterator[None]:
    """All requests to the API go to the master that leads etcd, as if there were no other."""
    leader, _ = members.leader(lab)
    with _knows_only(lab, leader):
        yield


@contextmanager
def knows_a_follower_only(lab: Lab) -> Iterator[None]:
    """All requests to the API go to one master that follows in etcd."""
    with _knows_only(lab, followers(lab)[0]):
        yield


@contextmanager
def knows_the_last_master_only(lab: Lab) -> Iterator[None]:
    """All requests to the API go to the last master."""
    with _knows_only(lab, members.masters(lab)[-1]):
        yield


@contextmanager
def does_not_check_itself(lab: Lab) -> Iterator[None]:
    """The balancers advertise every three seconds and never look whether their own proxy runs."""

    def careless(text: str) -> str:
        text = re.sub(r"advert_int [0-9.]+", "advert_int 3", text)
        return re.sub(r"track_script \{[^}]*\}", "", text)

    with _changed(lab, "keepalived.conf", careless):
        yield


def _knows_only(lab: Lab, master: str) -> AbstractContextManager[None]:
    return _changed(lab, "haproxy.cfg", lambda text: _only(text, master))


def _only(text: str, master: str) -> str:
    """Of the API's servers only one. Pure."""
    before, rest = text.split("backend api-servers", 1)
    servers, after = rest.split("frontend app", 1)
    kept = [line for line in servers.splitlines(keepends=True) if not line.startswith("    server ") or master in line]
    return f"{before}backend api-servers{''.join(kept)}frontend app{after}"


@contextmanager
def _changed(lab: Lab, file: str, change: Callable[[str], str]) -> Iterator[None]:
    """Both balancers with another file, and with their own again afterwards."""
    home = state.home()
    paths = {b.name: home.balancer(b.name) / file for b in BALANCERS}
    originals = {name: path.read_text() for name, path in paths.items()}
    try:
        for name, path in paths.items():
            new = change(originals[name])
            assert new != originals[name], f"{path} does not say what is to be broken"
            path.write_text(new)
        _restart(lab)
        yield
    finally:
        for name, path in paths.items():
            path.write_text(originals[name])
        _restart(lab)


def _restart(lab: Lab) -> None:
    """Off and on, both; returns when the API answers through whichever has the address."""
    for balancer in BALANCERS:
        lab.stop_balancer(balancer.name, whole=True)
        lab.start_balancer(balancer.name)
    rest, deadline, good = Rest.of(lab), time.monotonic() + WITHIN_S, 0
    while good < 10:
        try:
            rest.request("GET", "/readyz", timeout_s=1.0)
            good += 1
        except RestError:
            good = 0
            assert time.monotonic() < deadline, f"the API does not answer {WITHIN_S:.0f} s after the balancers' restart"
        time.sleep(0.2)
