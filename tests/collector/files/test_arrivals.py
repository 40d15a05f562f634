"""A file is complete when its sender says so, or when it has not changed for long enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.files.arrivals import Arrivals
from tower.model.connection import Files


def seen(folder: Path, rule: Files) -> Arrivals:
    return Arrivals(folder, rule)


def names(arrivals: Arrivals, at: float) -> list[str]:
    return [path.name for path in arrivals.complete(at)]


def test_a_file_that_still_grows_is_not_complete(tmp_path: Path) -> None:
    arrivals = seen(tmp_path, Files(str(tmp_path), settle_s=60))
    path = tmp_path / "a.csv"
    path.write_text("1")
    assert names(arrivals, 0) == []
    path.write_text("12")
    assert names(arrivals, 59) == []
    assert names(arrivals, 118) == []
    assert names(arrivals, 119) == ["a.csv"]


def test_a_file_written_anew_in_the_same_size_is_not_complete(tmp_path: Path) -> None:
    arrivals = seen(tmp_path, Files(str(tmp_path), settle_s=60))
    path = tmp_path / "a.csv"
    path.write_text("1")
    assert names(arrivals, 0) == []
    os.utime(path, ns=(5, 5))
    assert names(arrivals, 60) == []
    (tmp_path / "b").write_text("1")
    os.utime(tmp_path / "b", ns=(5, 5))
    (tmp_path / "b").rename(path)
    assert names(arrivals, 119) == []
    assert names(arrivals, 179) == ["a.csv"]


def test_files_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    arrivals = seen(tmp_path, Files(str(tmp_path), settle_s=0))
    for at, name in enumerate(("c", "a", "b")):
        (tmp_path / name).write_text("1")
        os.utime(tmp_path / name, (at, at))
    assert names(arrivals, 0) == ["c", "a", "b"]


@pytest.mark.parametrize("companion", ["a.csv.done", "a.done"])
def test_a_companion_says_that_a_file_is_complete_and_only_that_file(tmp_path: Path, companion: str) -> None:
    arrivals = seen(tmp_path, Files(str(tmp_path), pattern="*", done="*.done"))
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "b.csv").write_text("1")
    assert names(arrivals, 1_000_000) == []
    (tmp_path / companion).touch()
    assert names(arrivals, 1_000_001) == ["a.csv"]


def test_a_companion_alone_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.done").touch()
    assert names(seen(tmp_path, Files(str(tmp_path), done="*.done")), 0) == []
