"""placeholder for the next commit"""

from reports.model import Run


def render(run: Run) -> str:
    return run.id
