"""docs/run-json.md says what the model says."""

from __future__ import annotations

from pathlib import Path

from reports import reference
from reports.model import Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "run-json.md"


def test_the_document_is_what_the_model_generates() -> None:
    assert DOCUMENT.read_text() == reference.markdown(), "run: python -m reports.reference > docs/run-json.md"


def test_every_verdict_is_documented() -> None:
    assert all(f"`{verdict.value}`" in reference.markdown() for verdict in Verdict)
