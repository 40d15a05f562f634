"""One process per data folder; a port that is taken is said plainly."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tower.commands.hold import bind, hold_folder
from tower.commands.plainly import Stop


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        hold_folder(tmp_path),
        pytest.raises(Stop, match=rf"in use by another process \(pid {os.getpid()}\).*TOWER_DATA_DIR"),
    ):
        hold_folder(tmp_path).__enter__()


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_folder(tmp_path / "new"):
            pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Stop, match="TOWER_DATA_DIR"):
        hold_folder(tmp_path / "file" / "var").__enter__()


def test_a_port_in_use_names_the_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Stop, match=f"port {port} on 127.0.0.1 is in use.*TOWER_PORT"):
            bind("127.0.0.1", port, "TOWER_PORT")


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(Stop, match="cannot be used"):
        bind("203.0.113.7", 0, "TOWER_PORT")
