"""What the lab's Prometheus is told to scrape, and how."""

from __future__ import annotations

from pathlib import Path

from fixtures.clusters.lab import monitoring
from fixtures.clusters.lab.layout import LabHome, Topology


def test_no_connection_of_a_scrape_outlives_a_machine_that_lost_power(tmp_path: Path) -> None:
    told = monitoring.configuration(LabHome(tmp_path), Topology().nodes())
    assert isinstance(told["scrape_configs"], list)
    encrypted = [job for job in told["scrape_configs"] if job.get("scheme") == "https"]
    assert {"apiserver", "kubelet", "probes"} <= {job["job_name"] for job in encrypted}
    assert [job["job_name"] for job in encrypted if job.get("enable_http2", True)] == []
