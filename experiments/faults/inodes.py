"""A node without a free inode in its runtime state, and with them again.

Simulated in this: the file system is made as small as what is in it, instead of being filled with millions of files.
It is /run, a file system in memory that belongs to the node alone, where the container runtime keeps what it must write
to start anything; no disk is touched.
"""

from __future__ import annotations

from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.undo import undoes

STATE = "/run"
SPARE = 32

_FREE = f"stat --file-system --format=%d {STATE}"
_TOTAL = f"stat --file-system --format=%c {STATE}"
# $1: the directory of ours. Bounded twice: by the limit just set, and by the count.
_FILL = f"""\
set -e
mkdir "$1"
used=$(( $({_TOTAL}) - $({_FREE}) ))
mount -o remount,nr_inodes=$(( used + {SPARE} )) {STATE}
count=0
while [ $count -lt {4 * SPARE} ] && touch "$1/$count" 2>/dev/null; do count=$(( count + 1 )); done
"""
# $1: the directory of ours, $2: how many inodes there were
_CLEAR = f"""\
set -e
mount -o remount,nr_inodes="$2" {STATE}
rm -rf "$1"
"""


def free(cluster: Cluster, node: str) -> int:
    """Free inodes of the node's runtime state. Raises `ClusterError`."""
    return _number(cluster, node, _FREE)


def total(cluster: Cluster, node: str) -> int:
    return _number(cluster, node, _TOTAL)


def fill(cluster: Cluster, node: str, mark: str) -> None:
    """Raises `ClusterError` when the file system can't be made that small."""
    _run(cluster, node, _FILL, _directory(mark))


@undoes
def clear(cluster: Cluster | None, node: str, mark: str, inodes: int) -> None:
    """As many inodes as there were, and our files gone. A node that is off has lost all that with its memory."""
    assert cluster is not None
    if any(n.name == node and n.power == "off" for n in cluster.nodes()):
        return
    _run(cluster, node, _CLEAR, _directory(mark), str(inodes))


def _directory(mark: str) -> str:
    return f"{STATE}/evenkeel-{mark}"


def _number(cluster: Cluster, node: str, command: str) -> int:
    return int(_run(cluster, node, command))


def _run(cluster: Cluster, node: str, script: str, *arguments: str) -> str:
    done = cluster.exec(node, ["sh", "-c", script, "sh", *arguments])
    if done.returncode:
        raise ClusterError(f"inodes of {STATE} on {node}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
