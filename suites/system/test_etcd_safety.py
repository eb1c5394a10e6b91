"""etcd kept safe: from loss, and from strangers."""

from __future__ import annotations

from datetime import timedelta

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import API_SERVER, ETCD, ControlPlane, flags
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.pod import PodSpec
from fixtures.snapshot.model.upkeep import VeleroSchedule
from fixtures.snapshot.model.workload import CronJob
from fixtures.snapshot.snapshot import Snapshot


@control(
    "SYS-15",
    "A recent backup of etcd is in evidence",
    severity="medium",
    live=True,
    reason="A lost quorum is restored from a backup, or not at all; replicas copy mistakes as faithfully as data.",
    remedy="Run `etcdctl snapshot save` on a schedule to storage outside the cluster, and restore one as an exercise; "
    "where it runs out of the cluster's sight, say so in the profile's statements under SYS-15.",
    source="etcd: Disaster recovery; S4-11",
)
def test_recent_backup(control_plane: ControlPlane, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """A CronJob that saves etcd (its command or image names etcd, and saving or a backup), or a Velero Schedule, had
    its last success within the profile's `etcd.max_backup_age_h`. Without either: unknown, unless the profile states
    where backups are made. Not applicable where a provider runs etcd.
    """
    control_plane.nodes  # noqa: B018 - not applicable where they are a provider's
    oldest = snapshot.taken - timedelta(hours=profile.etcd.max_backup_age_h)
    for job in snapshot.of(CronJob):
        if _saves_etcd(job.name, job.spec.job_template.spec.template.spec):
            last = moment(job.status.last_successful_time)
            recent = last is not None and last >= oldest
            message = f"no success within {profile.etcd.max_backup_age_h:g} h; the last one: {last or 'none'}"
            expect(job, recent, message, path="status.lastSuccessfulTime", value=job.status.last_successful_time)
    for schedule in snapshot.of(VeleroSchedule):
        last = moment(schedule.status.get("lastBackup"))
        message = f"no backup within {profile.etcd.max_backup_age_h:g} h; the last one: {last or 'none'}"
        value = schedule.status.get("lastBackup")
        expect(schedule, last is not None and last >= oldest, message, path="status.lastBackup", value=value)
    if not expect.judged:
        if "SYS-15" not in profile.statements:
            expect.unknown("no CronJob saves etcd and no Velero Schedule is there: backups, if any, are out of sight")
        expect.stated("etcd", profile.statements["SYS-15"])


def _saves_etcd(name: str, spec: PodSpec) -> bool:
    words = " ".join([name, *(_words(spec))]).lower()
    return "etcd" in words and any(word in words for word in ("snapshot", "backup", "save"))


def _words(spec: PodSpec) -> list[str]:
    containers = [*(spec.containers or ()), *(spec.init_containers or ())]
    return [word for c in containers for word in (c.image, *(c.command or ()), *(c.args or ()))]


@control(
    "SYS-16",
    "etcd lets in only those with a certificate, and its timeouts fit each other",
    severity="medium",
    live=True,
    reason="Whoever writes to etcd owns the cluster; an election timeout near the heartbeat elects at every hiccup.",
    remedy="Set --client-cert-auth and --peer-client-cert-auth with their CA files, listen on https only, and keep "
    "--election-timeout at least five times --heartbeat-interval.",
    source="etcd: Transport security model; etcd: Tuning",
)
def test_etcd_is_closed_and_timed(control_plane: ControlPlane, expect: Expect) -> None:
    """The command line of each etcd pod: both kinds of certificate authentication are on, every client and peer URL it
    listens on is https, and the election timeout (1000 ms unless given) is at least 5 heartbeats (100 ms unless given).
    Unknown where etcd runs out of sight, or its settings are in a --config-file.
    """
    pods = control_plane.pods(ETCD)
    if not pods:
        expect.unknown("no etcd pod is to be seen: it runs outside the cluster")
    for pod in pods:
        given = flags(pod)
        if "config-file" in given:
            expect.uncertain(pod, "its settings are in a file on its node (--config-file)")
            continue
        for flag in ("client-cert-auth", "peer-client-cert-auth"):
            value = given.get(flag, "false")
            expect(pod, value == "true", f"--{flag} is {value}", path=f"--{flag}", value=value)
        for flag in ("listen-client-urls", "listen-peer-urls"):
            plain = [url for url in given.get(flag, "").split(",") if url.startswith("http://")]
            expect(pod, not plain, f"listens without TLS on {', '.join(plain)}", path=f"--{flag}", value=plain)
        heartbeat, election = (
            int(given.get(f, d)) for f, d in (("heartbeat-interval", 100), ("election-timeout", 1000))
        )
        message = f"an election after {election} ms, with a heartbeat every {heartbeat} ms"
        expect(pod, election >= 5 * heartbeat, message, path="--election-timeout", value=election)


@control(
    "SYS-36",
    "An etcd that is split by resource is split into parts that can be judged",
    severity="low",
    live=True,
    reason="Events in an etcd of their own still need a quorum of their own: one member there loses what it holds.",
    remedy="Run each part as pods labelled component=etcd that may be asked, or state its state in the profile under "
    "SYS-36.",
    source="S4-29",
)
def test_split_etcd_is_recognised(control_plane: ControlPlane, profile: Profile, expect: Expect) -> None:
    """Not applicable unless an API server has --etcd-servers-overrides. Then each part has an odd number of servers, at
    least the profile's `min_etcd_members`, and each of them is an address at which an etcd pod of the cluster
    advertises itself, so that it can be judged as the others are; otherwise unknown, unless the profile states how it
    is kept.
    """
    advertised = {
        url for pod in control_plane.pods(ETCD) for url in flags(pod).get("advertise-client-urls", "").split(",") if url
    }
    for pod in control_plane.pods(API_SERVER):
        for override in filter(None, flags(pod).get("etcd-servers-overrides", "").split(",")):
            resource, _, servers = override.partition("#")
            named = [url for url in servers.split(";") if url]
            enough = len(named) >= profile.min_etcd_members and len(named) % 2 == 1
            message = f"{resource} is kept by {len(named)} server(s): not odd, or fewer than {profile.min_etcd_members}"
            expect(pod, enough, message, path="--etcd-servers-overrides", value=override)
            outside = [url for url in named if url not in advertised]
            if not outside:
                continue
            if "SYS-36" in profile.statements:
                expect.stated(f"etcd of {resource}", profile.statements["SYS-36"])
            else:
                expect.uncertain(pod, f"{resource} is kept in {', '.join(outside)}, which can't be asked")
