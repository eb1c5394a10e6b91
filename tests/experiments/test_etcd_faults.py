"""Each fault of etcd and of the control plane knows what proves it, and what does not. No cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from experiments.faults import certificates, members, static_pods
from experiments.faults.certificate_expiry import CertificateExpiry
from experiments.faults.certificate_renewal import CertificateRenewal
from experiments.faults.control_plane_loss import ControlPlaneLoss
from experiments.faults.etcd_full import EtcdFull
from experiments.faults.etcd_member_kill import EtcdMemberKill
from experiments.faults.etcd_member_loss import EtcdMemberLoss
from experiments.faults.etcd_quorum_loss import EtcdQuorumLoss
from experiments.faults.etcd_restore import EtcdRestore
from experiments.observer import Change
from fixtures.clusters.cluster import ClusterError

KILLED = "etcd's process on master-1"
MEMBER = "member id of etcd on master-2"
DATA = "data of etcd on master-2"


def kill(pid: str, leader: str, term: int) -> dict[str, Any]:
    return {KILLED: pid, "etcd leader": leader, "etcd term": term}


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        (kill("none", "master-2", 5), True),
        (kill("77", "master-1", 6), True),  # restarted, and elected once more
        (kill("12", "master-2", 5), False),  # an election alone kills nobody
        (kill("none", "none", 5), False),  # nobody leads yet
        (kill("none", "master-1", 4), False),  # what etcd says is from before
    ],
)
def test_a_killed_leader_is_proven_by_its_process_and_a_later_term(after: dict[str, Any], proven: bool) -> None:
    assert EtcdMemberKill().proven(kill("12", "master-1", 4), after) is proven


def test_a_killed_follower_is_proven_by_its_process_alone() -> None:
    assert EtcdMemberKill().proven(kill("12", "master-2", 4), kill("none", "master-2", 4))


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        ({MEMBER: "none", DATA: "none"}, True),
        ({MEMBER: "none", DATA: "7"}, False),
        ({MEMBER: "ab", DATA: "none"}, False),
    ],
)
def test_a_lost_member_is_proven_by_its_id_and_its_data(after: dict[str, str], proven: bool) -> None:
    assert EtcdMemberLoss().proven({MEMBER: "ab", DATA: "7"}, after) is proven


def test_a_lost_control_plane_is_proven_by_power_member_and_node() -> None:
    before = {"boot id": "1-2", "member id": "ab", "UID": "u"}
    assert ControlPlaneLoss().proven(before, {"boot id": "off", "member id": "none", "UID": "none"})
    assert not ControlPlaneLoss().proven(before, {"boot id": "off", "member id": "ab", "UID": "none"})


def test_a_quorum_is_lost_when_nobody_leads_and_both_processes_are_gone() -> None:
    before = {"etcd leader": "master-1", "etcd's process on master-1": "8", "etcd's process on master-2": "9"}
    gone = dict.fromkeys(before, members.NOBODY)
    assert EtcdQuorumLoss().proven(before, gone)
    assert not EtcdQuorumLoss().proven(before, {**gone, "etcd leader": "master-3"})
    assert not EtcdQuorumLoss().proven(before, {**gone, "etcd's process on master-2": "31"})
    assert not EtcdQuorumLoss().proven(gone, gone)  # it was lost before


def test_all_data_must_be_gone_before_a_restore_means_anything() -> None:
    before = {"data of etcd on master-1": "5", "data of etcd on master-2": "6"}
    assert EtcdRestore().proven(before, dict.fromkeys(before, members.NOBODY))
    assert not EtcdRestore().proven(before, {**before, "data of etcd on master-1": members.NOBODY})


@pytest.mark.parametrize(
    ("before", "after", "proven"),
    [
        ("none", "NOSPACE of master-2", True),
        ("none", "CORRUPT of master-2", False),
        ("none", "none", False),
        ("NOSPACE of master-1", "NOSPACE of master-1, NOSPACE of master-2", False),  # it was full already
    ],
)
def test_a_full_etcd_is_proven_by_an_alarm_that_was_not_there(before: str, after: str, proven: bool) -> None:
    assert EtcdFull().proven({"etcd alarms": before}, {"etcd alarms": after}) is proven


def test_an_expiry_is_proven_by_what_clients_say() -> None:
    before = {"certificate of kube-apiserver-master-1": "trusted"}
    fault = CertificateExpiry()
    assert fault.proven(before, {"certificate of kube-apiserver-master-1": "x509: certificate has expired or is"})
    assert not fault.proven(before, {"certificate of kube-apiserver-master-1": "x509: certificate signed by unknown"})
    assert not fault.proven(before, before)


def test_every_certificate_must_be_another_after_a_renewal() -> None:
    before = {"certificates of master-1": {"a": "1 until 2027-01-01 00:00:00", "b": "2 until 2027-01-01 00:00:00"}}
    new = {"certificates of master-1": {"a": "3 until 2027-01-02 00:00:00", "b": "4 until 2027-01-02 00:00:00"}}
    one = {"certificates of master-1": {**new["certificates of master-1"], "b": "2 until 2027-01-01 00:00:00"}}
    sooner = {"certificates of master-1": {**new["certificates of master-1"], "b": "4 until 2026-01-02 00:00:00"}}
    fault = CertificateRenewal()
    assert fault.proven(before, new)
    assert not fault.proven(before, one)
    assert not fault.proven(before, sooner)


@pytest.mark.parametrize("fault", [EtcdQuorumLoss(), EtcdFull(), EtcdRestore()], ids=lambda f: f.id)
def test_what_stops_the_cluster_says_so(fault: EtcdQuorumLoss | EtcdFull | EtcdRestore) -> None:
    assert fault.exceeds
    assert "api-write" in fault.stops


def look(at: float, old: tuple[int, int], new: tuple[int, int]) -> Change:
    return Change(at=at, since=at - 0.2, subject=members.LEADER, old=members.Reign(*old), new=members.Reign(*new))


@pytest.mark.parametrize("elected", [3, 2], ids=["another", "the one that was killed, back already"])
def test_an_election_is_a_leader_of_a_later_term_and_not_the_lack_of_one(elected: int) -> None:
    changes = [look(9.0, (1, 6), (2, 7)), look(10.5, (2, 7), (0, 8)), look(11.0, (0, 8), (elected, 8))]
    found = members.elected(changes, injected=10.0)
    assert found is not None
    assert found.at == 11.0


def test_a_leader_out_of_sight_for_a_moment_was_not_elected() -> None:
    assert members.elected([look(10.5, (2, 7), (0, 7)), look(11.0, (0, 7), (2, 7))], 10.0) is None


MANIFEST = """\
spec:
  containers:
  - command:
    - etcd
    - --initial-cluster=master-1=https://198.18.0.11:2380
    - --initial-cluster-state=new
    image: registry.k8s.io/etcd:3.6
"""


def test_a_flag_of_a_static_pod_is_changed_or_added_and_nothing_else() -> None:
    joined = static_pods.with_flag(MANIFEST, "initial-cluster-state", "existing")
    assert joined == MANIFEST.replace("=new", "=existing")
    limited = static_pods.with_flag(MANIFEST, "quota-backend-bytes", "9")
    assert limited == MANIFEST.replace("    - etcd\n", "    - etcd\n    - --quota-backend-bytes=9\n")


def test_a_manifest_in_another_form_is_refused() -> None:
    with pytest.raises(ClusterError, match="kubeadm's form"):
        static_pods.with_flag("spec: {}", "quota-backend-bytes", "9")


def test_a_shortened_certificate_differs_in_its_time_only() -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    old = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("kubernetes")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    new = x509.load_pem_x509_certificate(certificates.shortened(old, old, pem, 20.0))
    assert 15 < certificates.left_s(new) <= 20
    assert (new.subject, new.public_key(), list(new.extensions)) == (
        old.subject,
        old.public_key(),
        list(old.extensions),
    )
    assert new.serial_number != old.serial_number
    new.verify_directly_issued_by(old)
