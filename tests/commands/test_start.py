"""What keeps a tower from starting is said in one sentence with exit code 2, never as a traceback."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.commands.process import environment, here, migrated
from tests.commands.served import refused
from tower.commands.hold import hold_folder
from tower.store.client import Store


def told(*arguments: str, env: dict[str, str]) -> str:
    """Run a command that must be refused and return what it says."""
    done = here(*arguments, env=env)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    assert "TOWER_PORT is 'eighty'" in refused(environment(tmp_path) | {"TOWER_PORT": "eighty"})


def test_every_problem_of_a_broken_rulebook_is_listed_with_file_and_line(tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.mkdir()
    (book / "a.yaml").write_text("process: {start: [order_accepted], done: [delivered]}\nmilestonez: {}\n")
    (book / "b.yaml").write_text("stages:\n  - {id: x, from: nowhere, to: order_accepted, within: soon}\n")
    said = refused(environment(tmp_path / "var", TOWER_BOOK=str(book)))
    assert "a.yaml:2" in said
    assert "b.yaml:2" in said
    assert not (tmp_path / "var" / "store").exists(), "the store is not touched"


def test_a_broken_connections_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text("connections: [{name: erp, kin: erp}]")
    said = refused(environment(tmp_path / "var", TOWER_CONNECTIONS=str(file)))
    assert "connection 1: unknown key 'kin'" in said


def test_a_port_in_use_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused(environment(tmp_path, port))
    assert said.count("\n") == 1
    assert f"port {port} on 127.0.0.1 is in use" in said
    assert "TOWER_PORT" in said


@pytest.mark.parametrize("command", [("migrate",), ("backup", "copy"), ("purge", "--older-than", "3")])
def test_a_data_folder_in_use_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    with hold_folder(tmp_path):
        said = told(*command, env=environment(tmp_path))
    assert f"in use by another process (pid {os.getpid()})" in said


def test_a_store_that_is_newer_is_not_touched(tmp_path: Path) -> None:
    env = environment(tmp_path)
    shutil.copytree(migrated(), tmp_path / "store", symlinks=True)
    store = Store(f"chdb://{tmp_path / 'store'}")
    with store.writer() as client:
        client.insert("migrations", [[9999, "9999_future.sql"]], column_names=["number", "name"])
    store.close()
    assert "migration 9999, which this program does not know" in told("migrate", env=env)


def test_a_tower_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert "does not answer" in told("status", "--url", url, env=environment(tmp_path))


def test_purge_wants_to_know_what(tmp_path: Path) -> None:
    assert "--customer ID or --older-than DAYS or --address ADDRESS" in told("purge", env=environment(tmp_path))


def test_help_names_every_command_and_setting(tmp_path: Path) -> None:
    said = here("run", "--help", env=environment(tmp_path)).stdout
    assert "TOWER_DATA_DIR" in said
    assert "TOWER_RAW_DAYS" in said
