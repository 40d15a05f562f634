"""The container files hold together: valid, without a password, and every command and path in them exists."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tower.demo.book import write_book, write_connections
from tower.model.connections import load_connections
from tower.settings import SETTINGS

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_file_fits_the_compose_specification() -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text())
    document = {k: v for k, v in COMPOSE.items() if not k.startswith("x-") and k != "name"}
    jsonschema.Draft7Validator(schema).validate(document)


def test_the_services_of_the_design_are_there_and_each_is_watched() -> None:
    assert set(SERVICES) == {"clickhouse", "book", "tower", "collector", "dashboards", "middleware"}
    assert [n for n, s in SERVICES.items() if "healthcheck" not in s] == ["book"]


def test_there_is_no_password_in_it_and_none_by_default() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert re.fullmatch(r"\$\{O2C_SECRETS:\?[^}]+\}/" + name, secret["file"])
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", variable):
                assert str(value).startswith("/run/secrets")


def test_what_services_use_is_declared() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert {v.split(":")[0] for v in service.get("volumes", ())} <= set(COMPOSE["volumes"])
        assert set(service.get("depends_on", ())) <= set(SERVICES)


def test_ports_are_published_on_the_loopback_address_only() -> None:
    assert all(p.startswith("127.0.0.1:") for s in SERVICES.values() for p in s.get("ports", ()))


@pytest.mark.parametrize("name", [n for n, s in SERVICES.items() if "build" in s])
def test_every_command_exists(name: str) -> None:
    command = SERVICES[name]["command"]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    if command[0] == "tower":
        assert "tower" in scripts
        source = (ROOT / "tower/cli.py").read_text()
        assert f"def {command[1]}(" in source
    else:
        assert command[:2] == ["python", "-m"]
        assert importlib.util.find_spec(command[2]) is not None


def test_the_middleware_understands_its_options() -> None:
    options = {o.split("=")[0] for o in SERVICES["middleware"]["command"] if o.startswith("--")}
    source = (ROOT / "tower/demo/__main__.py").read_text()
    assert [o for o in options if f'"{o}"' not in source] == []


def test_every_setting_is_known() -> None:
    from dashboards.settings import SETTINGS as DASHBOARD_SETTINGS

    known = {s.name for s in SETTINGS} | {s.name for s in DASHBOARD_SETTINGS}
    used = {v for s in SERVICES.values() for v in s.get("environment", {}) if v.startswith("TOWER_")}
    used |= set(re.findall(r"TOWER_\w+", DOCKERFILE)) | set(re.findall(r"TOWER_\w+", entrypoint().read_text()))
    assert used <= known


def test_the_book_is_written_where_the_tower_looks_for_it(tmp_path: Path) -> None:
    command = SERVICES["book"]["command"]
    folder = write_book(tmp_path / "book", *command[4:])
    assert f"{command[3]}/book" == SERVICES["tower"]["environment"]["TOWER_BOOK"]
    assert f"{command[3]}/connections.yaml" == SERVICES["tower"]["environment"]["TOWER_CONNECTIONS"]
    text = (folder / "book.yaml").read_text()
    assert 'url: "http://middleware:9000"' in text
    assert 'bearer: "file:middleware"' in text
    assert load_connections(write_connections(tmp_path / "connections.yaml")).configured


def test_everything_that_is_copied_into_the_image_exists() -> None:
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M):
        *sources, _ = line.split()
        assert [s for s in sources if not (ROOT / s).exists()] == []


def entrypoint() -> Path:
    return ROOT / "docker/entrypoint.sh"


def test_the_entrypoint_passes_the_command_on() -> None:
    assert os.access(entrypoint(), os.X_OK)
    done = subprocess.run([entrypoint(), "echo", "on"], capture_output=True, text=True, check=True)
    assert done.stdout == "on\n"
