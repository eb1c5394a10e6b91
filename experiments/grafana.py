"""Fault windows as annotations in Grafana: its dashboards then shade what was done on purpose.

The token of a service account that may write annotations comes from $GRAFANA_TOKEN and goes nowhere else. A Grafana
that does not answer costs a warning, never a verdict. Source: Grafana HTTP API, Annotations, POST /api/annotations.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from experiments.result import NOT_APPLICABLE, PASS, Check, Result, unix

TOKEN = "GRAFANA_TOKEN"  # the variable's name
TIMEOUT_S = 3.0
NAME = "grafana-annotation"


class AnnotationError(Exception):
    """It was not taken; the text says by whom and why."""


def annotate(url: str, result: Result) -> Check | None:
    """Push the window of a result's fault; what came of it, or None when there was none to push."""
    if result.injected is None:
        return None
    try:
        _post(url, window(result))
    except AnnotationError as error:
        return Check(name=NAME, verdict=NOT_APPLICABLE, message=f"not written: {error}", judged=False)
    return Check(name=NAME, verdict=PASS, message="the fault's window is in Grafana", judged=False)


def window(result: Result) -> dict[str, object]:
    """From the injection until everything was healthy again (else healed, else the end), in milliseconds."""
    assert result.injected is not None
    end = result.healthy or result.healed or result.finished or result.injected
    return {
        "time": round(unix(result.injected) * 1000),
        "timeEnd": round(unix(end) * 1000),
        "tags": ["evenkeel", *filter(None, (result.fault, result.name, result.verdict))],
        "text": f"{result.fault} {result.title}: {result.target} ({result.verdict})",
    }


def _post(url: str, body: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get(TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    where = f"{url.rstrip('/')}/api/annotations"
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S), retries=False)
    try:
        answer = pool.request("POST", where, body=msgspec.json.encode(body), headers=headers, redirect=False)
    except (HTTPError, OSError) as error:
        raise AnnotationError(f"no answer from {urlsplit(url).hostname}: {type(error).__name__}") from error
    if answer.status != 200:
        hint = f"; does ${TOKEN} hold a token that may write annotations?" if answer.status in (401, 403) else ""
        raise AnnotationError(f"{urlsplit(url).hostname} says HTTP {answer.status}{hint}")
