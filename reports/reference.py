"""What documents run.json: its JSON Schema, and the tables of docs/run-json.md, both made from the structs.

python -m reports.reference > docs/run-json.md
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import msgspec

from reports import loads, model

INTRODUCTION = """\
# run.json

Everything that a run found, in one file: `reports/runs/<id>/run.json`. Every report is made from it and nothing else,
so it can be rendered again at any time (`evenkeel report render RUN`). It is replaced as a whole while the run goes on:
a reader, or a kill, never sees half of one. A selected control that has not been judged yet stands in it as `unknown`.

- Times are ISO 8601 in UTC, durations and latencies seconds as floats.
- `state` is `running` until the run ends. A file that says so without a process of that run was left by a killed one.
- Verdicts are `pass`, `fail`, `unknown`, `waived` and `not-applicable`. What could not be judged is never `pass`.
- Readers must ignore fields that they don't know: new ones may be added to `evenkeel.run/v1`, none is changed or taken
  away.
- `samples` names a file beside run.json with one record a probe; it is large, and no report needs it.

`evenkeel report schema` prints the JSON Schema. The tables below are generated from `reports/model.py`.
"""


def json_schema() -> str:
    """JSON Schema (draft 2020-12) of a run."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": model.SCHEMA,
        **msgspec.json.schema(model.Run),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def markdown() -> str:
    """The whole of docs/run-json.md."""
    _, components = msgspec.json.schema_components([model.Run])
    names = ["Run", *(name for name in _in_order(components) if name != "Run")]
    return INTRODUCTION + "".join(_section(name, components[name]) for name in names)


def _struct(name: str) -> Any:
    """The struct of this name, wherever the model keeps it."""
    return getattr(model, name, None) or getattr(loads, name)


def _in_order(components: dict[str, Any]) -> list[str]:
    """By first mention, from the run downwards."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        found.append(name)
        for part in _mentioned(components[name]):
            visit(part)

    visit("Run")
    return found


def _mentioned(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [str(part["$ref"]).rsplit("/", 1)[1]] if "$ref" in part else []
        return own + [name for value in part.values() for name in _mentioned(value)]
    if isinstance(part, list):
        return [name for value in part for name in _mentioned(value)]
    return []


def _section(name: str, schema: dict[str, Any]) -> str:
    about = inspect.cleandoc(_struct(name).__doc__ or "")
    if "enum" in schema:
        return f"\n## {name}\n\n{about}\n\nOne of {', '.join(f'`{value}`' for value in schema['enum'])}.\n"
    rows = [f"\n## {name}\n\n{about}\n\n| field | type | meaning |\n| --- | --- | --- |"]
    if schema.get("type") == "array":
        rows = [rows[0].replace("| field |", "| place |")]
        fields = [f.name for f in msgspec.structs.fields(_struct(name))]
        rows += [
            _row(f"{n}: `{field}`", part)
            for n, (field, part) in enumerate(zip(fields, schema["prefixItems"], strict=True))
        ]
    else:
        rows += [_row(f"`{field}`", part) for field, part in schema["properties"].items()]
    return "\n".join(rows) + "\n"


def _row(field: str, part: dict[str, Any]) -> str:
    told = next((option for option in [part, *part.get("anyOf", [])] if "description" in option), part)
    meaning = told.get("description", "")
    if examples := part.get("examples"):
        meaning += ("; " if meaning else "") + "for example " + ", ".join(f"`{example}`" for example in examples)
    return f"| {field} | {_type(part)} | {meaning.replace('|', chr(92) + '|')} |"


def _type(part: dict[str, Any]) -> str:
    if "$ref" in part:
        name = str(part["$ref"]).rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in part:
        return " or ".join(_type(option) for option in part["anyOf"])
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    if part.get("type") == "array":
        return f"list of {_type(part.get('items') or {})}"
    return {"number": "float", "integer": "int", "null": "null", "object": "object", "boolean": "bool"}.get(
        str(part.get("type")), "string" if part.get("type") == "string" else "any JSON"
    )


if __name__ == "__main__":
    sys.stdout.write(markdown())
