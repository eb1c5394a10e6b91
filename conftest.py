"""Which plugins make a run. Nothing else belongs here."""

pytest_plugins = [
    "fixtures.plugin",
    "experiments.plugin",
    "reports.recorder",
]
