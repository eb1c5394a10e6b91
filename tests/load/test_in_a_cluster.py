"""The manifests for load from inside a cluster: bounded, at one Service, and the same test both ways."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from fixtures.clusters.lab.supply.extras import locust

DEPLOY = Path(__file__).parents[2] / "deploy" / "locust"
OWN = ("pace.py", "rate.py", "record.py", "users/plain.py", "shapes/step.py")


def objects(name: str) -> list[dict[str, Any]]:
    return [dict(one) for one in yaml.safe_load_all((DEPLOY / name).read_text())]


def test_every_pod_ends_by_itself_and_runs_the_locked_locust() -> None:
    jobs = [one for one in objects("plain.yaml") if one["kind"] != "Service"]
    assert {one["kind"] for one in jobs} == {"Job"}
    for job in jobs:
        assert 0 < job["spec"]["activeDeadlineSeconds"] <= 300
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == locust.REFERENCE
    (operated,) = objects("locusttest.yaml")
    assert operated["spec"]["image"] == locust.REFERENCE


def test_both_ways_load_the_same_service_equally() -> None:
    (master,) = (o for o in objects("plain.yaml") if o["metadata"]["name"] == "locust-master" and o["kind"] == "Job")
    plain = {
        a for a in master["spec"]["template"]["spec"]["containers"][0]["args"] if a.count("=") and "expect" not in a
    }
    words = objects("locusttest.yaml")[0]["spec"]["master"]["command"].split()
    assert {f"{k}={v}" for k, v in zip(words[::2], words[1::2], strict=True)} == plain


def test_the_files_side_by_side_are_the_package_they_were(tmp_path: Path) -> None:
    for name in OWN:
        source = DEPLOY.parents[1] / "loadtests" / name
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "locustfile.py").write_bytes((DEPLOY / "locustfile.py").read_bytes())
    script = (DEPLOY / "configmap.sh").read_text()
    assert all(f"loadtests/{name}" in script for name in OWN)
    argv = [sys.executable, "-m", "locust", "-f", str(tmp_path / "locustfile.py"), "--list"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "PlainUser" in done.stdout + done.stderr
