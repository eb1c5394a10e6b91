"""What an experiment needs to know beside its file: which cluster, by which profile, and whether it may break anything.

Under plain `chaos run` these come from the environment; the runner passes them in the experiment's configuration.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

KEY = "evenkeel"  # of the experiment's configuration
YES = ("1", "yes", "true", "on")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it plain data, so that it can travel in a configuration."""

    cluster: str = "kubeconfig"  # EVENKEEL_CLUSTER: provider
    kubeconfig: str = ""  # KUBECONFIG
    context: str = ""  # EVENKEEL_CONTEXT
    confirmed: bool = False  # whether the context was named by hand: then it may be broken
    profile: str = ""  # EVENKEEL_PROFILE: name or file; empty: the lab's in the lab, else kubeadm's
    allow_disruption: bool = False  # EVENKEEL_ALLOW_DISRUPTION: without it nothing is changed
    run_directory: str = ""  # EVENKEEL_RUN_DIR: samples are kept there; empty: kept beside the undo journals
    app: str = "reference/web"  # EVENKEEL_APP: namespace/deployment that faults may hit and that is watched
    load_peak: float = 100.0  # requests a second at a service of the user's
    load_base: float = 20.0  # and in quiet times
    load_path: str = "/"  # what is asked for
    app_url: str = ""  # EVENKEEL_APP_URL: where it is reached; empty: what the provider says
    prometheus_url: str = ""  # EVENKEEL_PROMETHEUS_URL: asked what it saw; empty: the provider's, if it has one
    grafana_url: str = ""  # EVENKEEL_GRAFANA_URL: is given each fault's window; empty: nobody

    @property
    def provider(self) -> str:
        return self.cluster

    @property
    def app_namespace(self) -> str:
        return self.app.partition("/")[0]

    @property
    def app_name(self) -> str:
        return self.app.partition("/")[2]

    @property
    def profile_name(self) -> str:
        return self.profile or ("lab" if self.cluster == "lab" else "kubeadm")

    def samples_directory(self) -> Path:
        from fixtures.safety.state import state_directory

        return Path(self.run_directory) if self.run_directory else state_directory() / "samples"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """As plain `chaos run` finds them."""
    return Settings(
        cluster=environment.get("EVENKEEL_CLUSTER", "kubeconfig"),
        kubeconfig=environment.get("KUBECONFIG", ""),
        context=environment.get("EVENKEEL_CONTEXT", ""),
        confirmed=bool(environment.get("EVENKEEL_CONTEXT")),
        profile=environment.get("EVENKEEL_PROFILE", ""),
        allow_disruption=environment.get("EVENKEEL_ALLOW_DISRUPTION", "").lower() in YES,
        run_directory=environment.get("EVENKEEL_RUN_DIR", ""),
        app=environment.get("EVENKEEL_APP", "reference/web"),
        app_url=environment.get("EVENKEEL_APP_URL", ""),
        prometheus_url=environment.get("EVENKEEL_PROMETHEUS_URL", ""),
        grafana_url=environment.get("EVENKEEL_GRAFANA_URL", ""),
    )


def from_configuration(configuration: Mapping[str, Any] | None) -> Settings:
    """Those that the runner put into a Chaos Toolkit configuration, else those of the environment."""
    given = (configuration or {}).get(KEY)
    return msgspec.convert(given, Settings) if given else from_environment()
