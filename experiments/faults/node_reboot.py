"""F-05: a worker loses power and gets it back at once, as after a kernel panic."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults.fault import Evidence, Victim
from experiments.faults.node_power_cut import NodePowerCut
from experiments.observer import Change
from experiments.scene import Scene


class NodeReboot(NodePowerCut):
    """As F-04, but the node is back within seconds: its pods run again there, or are replaced meanwhile."""

    id = "F-05"
    title = "reboot a worker"

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.reboot(victim.node)

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """A new boot, not merely a node that is off."""
        return super().proven(before, after) and "off" not in after.values()

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Also the node must be Ready, if it was ever seen not to be."""
        kinds = [s.kind for s in self.steps(scene, victim, changes, injected) if s.what.startswith("node ")]
        return kinds.count("detected") == kinds.count("recovered") and super().over(scene, victim, changes, injected)
