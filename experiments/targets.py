"""What is probed while a fault lasts: the API for reading and writing, the application, and the control target."""

from __future__ import annotations

from typing import Any

import msgspec

from experiments.trial import Trial
from fixtures.prober.config import Target, Tls
from fixtures.safety.ground import NAMESPACE, RUN_LABEL
from fixtures.safety.rest import Rest

READ = "/api/v1/namespaces/kube-system?resourceVersion=0"
WRITE = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
WRITE_EVERY_S = 0.1  # half as often as the others: each write costs every member of etcd a sync, and is removed again
APP = "/healthz"


def tls(rest: Rest) -> Tls:
    """As the cluster's own client speaks it."""
    configuration: Any = rest.client.configuration
    return Tls(
        ca_file=configuration.ssl_ca_cert,
        ca_data=getattr(configuration, "ca_cert_data", None),
        cert_file=configuration.cert_file,
        key_file=configuration.key_file,
        server_name=configuration.tls_server_name,
        verify=bool(configuration.verify_ssl),
    )


def of(trial: Trial) -> list[Target]:
    """Every target that this cluster has. Each write makes an object of its own, with a key of its own.

    Reads are of what an API server has in memory, as controllers and kubelets read: they need no etcd. Every client
    that opens a connection, and every one that keeps it, is a case of its own.
    """
    rest = trial.scene.rest
    entrances = trial.scene.cluster.entrances()
    headers = rest.credentials()
    read, write = f"{rest.host}{READ}", f"{rest.host}{WRITE}"
    found = [
        Target(name="api-read", kind="api-read", url=read, headers=headers),
        Target(name="api-read-reused", kind="api-read", url=read, headers=headers, reuse=True),
        Target(
            name="api-write",
            kind="api-write",
            url=write,
            method="POST",
            headers={**headers, "Content-Type": "application/json"},
            body=_write(trial.id),
            reuse=True,
            interval_s=WRITE_EVERY_S,
        ),
    ]
    app = trial.settings.app_url or (f"{entrances.app}{APP}" if entrances.app else "")
    if app:
        found.append(Target(name="app", kind="app", url=app))
        found.append(Target(name="app-reused", kind="app", url=app, reuse=True))
    if entrances.control:
        found.append(Target(name="control", kind="control", url=entrances.control))
    return found


def _write(run: str) -> str:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"generateName": "write-", "labels": {RUN_LABEL: run}},
        "data": {"key": "{seq}"},
    }
    return msgspec.json.encode(body).decode()
