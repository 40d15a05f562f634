"""The copy holds everything and is either there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tower.commands.backup import copy_folder
from tower.commands.plainly import Stop
from tower.settings import Settings


def data_folder(tmp_path: Path) -> Settings:
    """Return settings for a folder with a journal, a token and a store."""
    folder = tmp_path / "var"
    for name in ("journal/events/1.seg", "admin-token", "store/data/part/data.bin", "tower.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "admin-token").chmod(0o600)
    return Settings(data_dir=folder, clickhouse=f"chdb://{folder / 'store'}")


def files(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_journal_store_and_token_are_copied_and_the_lock_is_not(tmp_path: Path) -> None:
    copy_folder(data_folder(tmp_path), tmp_path / "copy", with_store=True)
    assert files(tmp_path / "copy") == {"journal/events/1.seg", "admin-token", "store/data/part/data.bin"}
    assert (tmp_path / "copy" / "admin-token").stat().st_mode & 0o777 == 0o600


def test_a_served_store_is_not_copied_from_the_folder(tmp_path: Path) -> None:
    copy_folder(data_folder(tmp_path), tmp_path / "copy", with_store=False)
    assert files(tmp_path / "copy") == {"journal/events/1.seg", "admin-token"}


def test_an_existing_copy_is_never_written_into(tmp_path: Path) -> None:
    settings = data_folder(tmp_path)
    (tmp_path / "copy").mkdir()
    with pytest.raises(Stop, match="exists"):
        copy_folder(settings, tmp_path / "copy", with_store=True)


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = data_folder(tmp_path)

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tower.commands.backup.shutil.copy2", full)
    with pytest.raises(Stop, match="No space left"):
        copy_folder(settings, tmp_path / "copy", with_store=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["var"]
