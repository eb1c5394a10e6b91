"""What becomes of the way to the API and to the application when a balancer dies."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-20",
    "Another balancer takes the address over when the active one dies, as a machine or as a process",
    severity="high",
    reason="All clients and kubelets go through the balanced address: while nobody has it, all masters are dead.",
    remedy="Two balancers with a virtual address (keepalived, kube-vip), advertised every half second, each asking its "
    "own proxy for an answer and giving the address up without one; and nothing that gives it back by itself.",
    source="F-20; S0-13, S0-14",
    live=True,
)
def test_another_balancer_takes_the_address_over(run: Run, profile: Profile, expect: Expect) -> None:
    """The machine that has the balanced address loses power, and in a second experiment its proxy is killed and stays
    dead. Reads, writes and the application must be back within the profile's budgets for F-20."""
    judge(run("balancer-kill", target="machine"), "F-20", profile, expect)
    judge(run("balancer-kill", target="process"), "F-20", profile, expect)
