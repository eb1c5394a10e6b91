"""A kubeconfig leads to a cluster, or to one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fixtures.clusters import open_cluster, reopen
from fixtures.clusters.cluster import Capability, ClusterError, Unsupported

GOOD = {
    "current-context": "prod",
    "contexts": [
        {"name": "prod", "context": {"cluster": "one", "user": "me"}},
        {"name": "lost", "context": {"cluster": "gone"}},
    ],
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(GOOD))
    return path


def test_the_current_context_is_taken_unless_another_is_named(file: Path) -> None:
    cluster = open_cluster("kubeconfig", file)
    assert (cluster.context, cluster.entrances().api) == ("prod", "https://127.0.0.1:1")


def test_an_unknown_context_is_refused_with_those_there_are(file: Path) -> None:
    with pytest.raises(ClusterError, match=r"no context 'staging'; it has prod, lost"):
        open_cluster("kubeconfig", file, "staging")


def test_a_context_without_a_cluster_is_named(file: Path) -> None:
    with pytest.raises(ClusterError, match=r"context 'lost' names no cluster"):
        open_cluster("kubeconfig", file, "lost")


@pytest.mark.parametrize(("text", "wrong"), [("a: [", "is not YAML"), ("just words", "holds no configuration")])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(ClusterError, match=f"{path}.*{wrong}"):
        open_cluster("kubeconfig", path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="nowhere"):
        open_cluster("kubeconfig", tmp_path / "nowhere")


def test_another_process_reopens_the_same_cluster(file: Path) -> None:
    cluster = reopen(open_cluster("kubeconfig", file, "prod").reference())
    assert (cluster.kubeconfig, cluster.context) == (file, "prod")


def test_a_verb_without_its_capability_says_why(file: Path) -> None:
    cluster = open_cluster("kubeconfig", file)
    assert Capability.NODE_POWER not in cluster.capabilities
    with pytest.raises(Unsupported, match=r"node-power on cluster 'prod': a kubeconfig leads to"):
        cluster.power_off("any")
