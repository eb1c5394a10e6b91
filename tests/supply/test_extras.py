"""Images beside those of every lab: found by their names, assembled once, with everything in them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from fixtures.clusters.lab.supply import Supply
from fixtures.clusters.lab.supply.dockersave import File, Recipe
from fixtures.clusters.lab.supply.extras import catalogue, locust
from fixtures.clusters.lab.supply.extras.extra import Extra, archive
from fixtures.clusters.lab.supply.supply import SupplyError
from tests.clusters.test_lab_plans import supply


def made(reference: str, contents: list[str], runs: list[str]) -> Extra:
    def recipe(supply: Supply, scratch: Path, progress: object) -> Recipe:
        runs.append(reference)
        (scratch / "motd").write_text(contents[0])
        return Recipe(reference=reference, files={"/etc/motd": File(source=scratch / "motd")})

    return Extra(reference=reference, made_of=lambda _: contents, recipe=recipe)


def test_an_image_is_assembled_once_and_again_when_what_it_is_made_of_changed(tmp_path: Path) -> None:
    runs: list[str] = []
    for text in ("one", "one", "two"):
        file = archive(tmp_path, made("example.org/a:1", [text], runs), supply(tmp_path), lambda _: None)
        with tarfile.open(file) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert manifest[0]["RepoTags"] == ["example.org/a:1"]
    assert len(runs) == 2


def test_an_image_that_could_not_be_assembled_leaves_nothing(tmp_path: Path) -> None:
    def refuse(supply: Supply, scratch: Path, progress: object) -> Recipe:
        raise SupplyError("no")

    with pytest.raises(SupplyError):
        archive(
            tmp_path,
            Extra(reference="example.org/a:1", made_of=lambda _: (), recipe=refuse),
            supply(tmp_path),
            lambda _: None,
        )
    assert not list((tmp_path / "extras").rglob("image.tar"))


def test_an_unknown_image_is_refused_with_those_there_are() -> None:
    with pytest.raises(SupplyError, match="haproxy:lts"):
        catalogue.find("docker.io/library/nginx:1")


def test_the_image_of_locust_has_everything_that_locust_requires() -> None:
    names = {d.name.lower() for d in locust.closure_of("locust")}
    assert {"locust", "gevent", "greenlet", "geventhttpclient", "msgpack", "pyzmq"} <= names
    assert "kubernetes" not in names
