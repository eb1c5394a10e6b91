"""What a suite about recovery is given: `run`, which runs an experiment and hands its measurement over.

Every result is attached to the test as `("evenkeel.experiment", {...})`, an entry of `experiments[]` in run.json; that
of a load test as `("evenkeel.load", {...})`, one of `loads[]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.clusters.cluster import Cluster

if TYPE_CHECKING:
    from experiments.checks.audits import Audits
    from experiments.loads.result import Result
    from experiments.measured import Measured
    from experiments.settings import Settings

PROPERTY = "evenkeel.experiment"
LOAD = "evenkeel.load"
NOT_ALLOWED = "read-only run: nothing is broken without --allow-disruption"

Run = Callable[..., "Measured"]
Load = Callable[..., "Result"]


@pytest.fixture(scope="session")
def disruption(cluster: Cluster, pytestconfig: pytest.Config) -> Iterator[Settings]:
    """The settings of every experiment of this run; skips without --allow-disruption. Cleans up behind the last one."""
    if not pytestconfig.getoption("allow_disruption"):
        pytest.skip(NOT_ALLOWED)
    from experiments import runner

    run_directory = pytestconfig.getoption("run_dir")
    settings = runner.settings_for(
        cluster,
        confirmed=bool(pytestconfig.getoption("context")),
        profile=pytestconfig.getoption("profile") or "",
        allow_disruption=True,
        run_directory=str(Path(run_directory).absolute()) if run_directory else "",
        prometheus_url=pytestconfig.getoption("prometheus_url") or "",
        grafana_url=pytestconfig.getoption("grafana_url") or "",
    )
    yield settings
    runner.leave(settings)


@pytest.fixture(scope="session")
def audits(disruption: Settings) -> Audits:
    """The audits around every fault of this run."""
    from experiments import runner

    return runner.audits_for(disruption)


@pytest.fixture(scope="session")
def experiments(disruption: Settings) -> list[Measured]:
    """Every experiment of this run in which something was broken, in order; for controls that are judged last."""
    return []


@pytest.fixture
def run(
    disruption: Settings,
    audits: Audits,
    experiments: list[Measured],
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> Run:
    """`run("master-power-cut", target="leader")`: a `Measured`, also of what could not be judged. Raises
    `NotApplicable`, and `Unknown` once the run was asked to end."""
    from experiments import interrupt, runner
    from experiments.measured import Measured
    from experiments.result import NOT_APPLICABLE
    from fixtures.expect import NotApplicable, Unknown

    def one(name: str, target: str = "") -> Measured:
        if request.session.shouldstop == interrupt.SAID:
            raise Unknown(f"{name}: {interrupt.SAID}")
        with interrupt.asked_to_end() as asked:
            result = runner.run(name, disruption, target, audits)
            if asked():
                request.session.shouldstop = interrupt.SAID
        record_property(PROPERTY, result.as_dict())
        if result.injected is not None:
            experiments.append(Measured(result))
        if result.verdict == NOT_APPLICABLE:
            raise NotApplicable(result.reason)
        return Measured(result)

    return one


@pytest.fixture(scope="session")
def loaded() -> dict[tuple[str, str], Result]:
    """The load tests of this run: one that several controls are judged by is run once."""
    return {}


@pytest.fixture
def load(
    disruption: Settings, loaded: dict[tuple[str, str], Result], record_property: Callable[[str, object], None]
) -> Load:
    """`load("autoscaling")`: the `Result` of a load test. What could not be judged is raised as such."""
    from experiments.loads import runner
    from experiments.result import NOT_APPLICABLE, UNKNOWN
    from fixtures.expect import NotApplicable, Unknown

    def one(name: str, variant: str = "") -> Result:
        if (name, variant) not in loaded:
            loaded[name, variant] = runner.run(name, disruption, variant)
        result = loaded[name, variant]
        record_property(LOAD, result.as_dict())
        if result.verdict == NOT_APPLICABLE:
            raise NotApplicable(result.reason)
        if result.verdict == UNKNOWN:
            raise Unknown(f"{name}: {result.reason}")
        return result

    return one
