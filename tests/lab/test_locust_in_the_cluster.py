"""Load from inside a cluster as deploy/locust ships it: a master and two workers, an end, and nothing left to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.supply import prepare
from fixtures.clusters.lab.supply.extras import locust
from fixtures.safety.rest import Rest
from tests.lab import condition
from tests.lab.waiting import wait

pytestmark = [pytest.mark.lab, pytest.mark.nightly]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "locust"
NAMESPACE = "loadtest"
AT_LEAST = 1500  # requests: 40 s at 60 a second are 2,400, and the first seconds climb


def run(lab: Lab, *argv: str, given: str = "") -> str:
    """A command as the manifests' reader gives it, with the kubectl of the lab's release first in the path."""
    programs = prepare(lambda _: None).binaries
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "KUBECONFIG": str(lab.kubeconfig)}
    done = subprocess.run(argv, input=given, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def namespace(lab: Lab) -> Iterator[str]:
    wait("what earlier tests made is gone", lambda: not condition.leaving(Rest.of(lab)), 90)
    run(lab, "kubectl", "create", "namespace", NAMESPACE)
    yield NAMESPACE
    run(lab, "kubectl", "delete", "namespace", NAMESPACE, "--timeout=90s")


def test_a_master_and_two_workers_load_a_service_and_end(lab: Lab, namespace: str) -> None:
    lab.provide([locust.REFERENCE])
    into = ("kubectl", "-n", namespace, "apply", "-f")
    run(lab, *into, "-", given=run(lab, str(DEPLOY / "configmap.sh")))
    run(lab, *into, str(DEPLOY / "plain.yaml"))

    def ended() -> bool:
        jobs = json.loads(run(lab, "kubectl", "-n", namespace, "get", "jobs", "--output=json"))["items"]
        conditions = [c for job in jobs for c in job["status"].get("conditions", ()) if c["status"] == "True"]
        assert not [c for c in conditions if c["type"] == "Failed"], conditions
        return len([c for c in conditions if c["type"] == "Complete"]) == len(jobs) == 2

    wait("both Jobs have ended well", ended, 150)
    said = run(lab, "kubectl", "-n", namespace, "logs", "job/locust-master")
    total = re.search(r"Aggregated\s+(\d+)\s+(\d+)\(", said)
    assert total, said
    assert int(total[1]) > AT_LEAST
    assert int(total[2]) == 0
