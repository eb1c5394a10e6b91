"""What stands in front of the lab's API servers, before there is a lab: the door, the balancers, the address."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import balancer_files, balancers, front
from fixtures.clusters.lab.layout import (
    BALANCED_ADDRESS,
    BALANCERS,
    DOOR_NODE_PORTS,
    FRONT_DOOR_PORTS,
    LabHome,
    Topology,
)
from fixtures.clusters.lab.supply import Supply
from fixtures.clusters.lab.timings import DEFAULT, FAST


def binds(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.strip().startswith("bind ")]


def haproxy(home: Path, topology: Topology) -> str:
    return balancer_files.haproxy_configuration(topology.nodes(), home / "admin.sock", home / "ca.crt")


def test_the_front_door_listens_on_loopback_only_and_leads_to_the_balanced_address(tmp_path: Path) -> None:
    text = front.configuration(tmp_path / "admin.sock")
    assert binds(text)
    assert all(b.startswith("127.0.0.1:") for b in binds(text))
    assert f"server balanced {BALANCED_ADDRESS}:6443 namespace" in text
    assert " check" not in text


def test_a_balancer_knows_every_api_server_and_every_worker(tmp_path: Path) -> None:
    text = haproxy(tmp_path, Topology())
    assert text.count("server master-") == 3
    assert text.count("server worker-") == 6  # for the application, and for the doors
    assert "server worker-1 198.18.0.21:+12000" in text
    assert "namespace" not in text  # it is inside


def test_an_api_server_is_used_only_while_its_certificate_can_be_verified(tmp_path: Path) -> None:
    text = haproxy(tmp_path, Topology())
    assert f"check-ssl verify required ca-file {tmp_path / 'ca.crt'} no-ssl-reuse" in text
    assert "verify none" not in text


def test_each_balancer_has_an_authority_of_its_own_to_verify_with(tmp_path: Path) -> None:
    lab, supply = LabHome(tmp_path), cast(Supply, SimpleNamespace(programs=defaultdict(lambda: Path("/x"))))
    made = lab.node("master-1").kubernetes / "pki" / "ca.crt"
    made.parent.mkdir(parents=True)
    made.write_text("the authority")
    for spec in BALANCERS:
        balancer_files.write(lab, spec, Topology().nodes(), FAST, supply)
    shutil.rmtree(lab.nodes)
    for spec in BALANCERS:
        home = lab.balancer(spec.name)
        assert (home / "ca.crt").read_text() == "the authority"
        assert f"ca-file {home / 'ca.crt'}" in (home / "haproxy.cfg").read_text()


def test_without_workers_the_control_planes_serve_the_application(tmp_path: Path) -> None:
    text = haproxy(tmp_path, Topology(control_planes=1, workers=0))
    assert "server master-1 198.18.0.11:30080" in text


def test_a_door_leads_to_the_node_port_that_is_as_far_behind_it() -> None:
    assert len(DOOR_NODE_PORTS) == len(FRONT_DOOR_PORTS)
    assert {n - f for n, f in zip(DOOR_NODE_PORTS, FRONT_DOOR_PORTS, strict=True)} == {12000}


def test_two_balancers_know_each_other_and_differ_in_rank(tmp_path: Path) -> None:
    first, second = (balancer_files.keepalived_configuration(b, tmp_path / "check.sh", FAST) for b in BALANCERS)
    assert f"unicast_src_ip {BALANCERS[0].address}" in first
    assert re.search(rf"unicast_peer \{{\s+{re.escape(BALANCERS[1].address)}\s+\}}", first)
    assert re.search(rf"unicast_peer \{{\s+{re.escape(BALANCERS[0].address)}\s+\}}", second)
    ranks = [int(re.findall(r"^\s+priority (\d+)", text, re.M)[0]) for text in (first, second)]
    assert ranks[0] > ranks[1]
    assert all("nopreempt" in text for text in (first, second))


def test_keepalived_is_told_whole_seconds_between_two_looks(tmp_path: Path) -> None:
    text = balancer_files.keepalived_configuration(BALANCERS[0], tmp_path / "check.sh", FAST)
    assert re.findall(r"^\s+interval (\S+)", text, re.M) == ["1"]


def test_a_dead_balancer_is_missed_within_the_budget_only_with_fast_timings() -> None:
    """keepalived's master-down interval: three adverts and the skew of the lower rank."""

    def missed(advert_s: float) -> float:
        return 3 * advert_s + advert_s * (256 - (200 - BALANCERS[1].ordinal)) / 256

    assert missed(FAST.balancer_advert_s) < 2.0
    assert 3.0 < missed(DEFAULT.balancer_advert_s) < 3.6


def test_an_unknown_balancer_is_named_with_those_there_are() -> None:
    with pytest.raises(ClusterError, match=r"no balancer 'lb-9' in the lab; there are lb-1, lb-2"):
        balancers.find("lb-9")
