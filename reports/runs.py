"""Where runs live: `reports/runs/<id>/run.json` and what was rendered from it; `latest` points to the newest.

The base directory is `$EVENKEEL_RUNS` when set, else `reports/runs` of the checkout, else of the working directory.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reports.model import Run, decode, encode

BASE_VARIABLE = "EVENKEEL_RUNS"
LATEST = "latest"
RUN_FILE = "run.json"
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


class NoRunError(Exception):
    """There is no readable run where one was looked for; the text says where and what to do."""


def base_directory() -> Path:
    """Where new runs are put."""
    if given := os.environ.get(BASE_VARIABLE):
        return Path(given).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "pyproject.toml").is_file() and os.access(checkout, os.W_OK):
        return checkout / "reports" / "runs"
    return Path.cwd() / "reports" / "runs"


def new_id(at: datetime | None = None) -> str:
    """Sorts by time; the random end keeps two runs of one second apart."""
    return f"{(at or datetime.now(UTC)).astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def new_run_directory(base: Path | None = None) -> Path:
    """Make the directory of a new run. `OSError` when the base can't be written."""
    base = base or base_directory()
    while True:
        directory = base / new_id()
        with suppress(FileExistsError):
            directory.mkdir(parents=True)
            return directory


def id_of(directory: Path) -> str:
    """The directory's name when it is a run id, else a new id: any directory may be named for a run."""
    name = directory.absolute().name
    return name if _ID.fullmatch(name) else new_id()


def point_latest(directory: Path) -> None:
    """Let `latest`, beside the directory, point to it, in one step. Only where runs are kept: a directory that the
    user named by hand gets nothing put beside it, and a `latest` that is no symlink is left alone."""
    directory = directory.absolute()
    latest = directory.parent / LATEST
    if not _ID.fullmatch(directory.name) or (latest.exists() and not latest.is_symlink()):
        return
    new = directory.parent / f".{LATEST}-{secrets.token_hex(4)}"
    new.symlink_to(directory.name)
    new.replace(latest)


def write_run(run: Run, directory: Path, *, durable: bool = False) -> Path:
    """Replace run.json in one step: a reader, or a kill, sees the old one or the new one whole.

    durable: also survive a loss of power of this machine (fsync).
    """
    return write_whole(directory / RUN_FILE, encode(run), durable=durable)


def write_whole(path: Path, content: bytes, *, durable: bool = False) -> Path:
    """Write a file so that it is never seen half written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path


def find_run_file(where: Path | None = None) -> Path:
    """The run.json meant by a path: a file, a run's directory, a directory of runs, or (None) the latest run."""
    where = base_directory() if where is None else where
    candidates = [where, where / RUN_FILE, where / LATEST / RUN_FILE]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise NoRunError(f"{where}: no {RUN_FILE} there; name a run's directory or its {RUN_FILE} (a run makes one)")


def read_run(path: Path) -> Run:
    """Read a run.json. `NoRunError` when it can't be read or is no run, with the reason."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise NoRunError(f"{path}: {error.strerror or error}") from error
    except msgspec.ValidationError as error:
        raise NoRunError(f"{path}: not an evenkeel.run/v1 file: {error}") from error
    except msgspec.DecodeError as error:
        raise NoRunError(f"{path}: not JSON: {error}") from error
