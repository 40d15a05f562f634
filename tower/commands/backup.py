"""`tower backup`: a copy from which nothing acknowledged is missing.

An acknowledged event is in the journal until it is in the store, so the journal is copied first and the store
after it: whatever left the journal meanwhile is in the store's copy, and what is in both is stored once.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from tower.commands.hold import hold_folder
from tower.commands.opening import opened
from tower.commands.plainly import Stop, settings_now
from tower.settings import Settings

_LEFT_OUT = {"tower.lock", "store"}
_PLACE = re.compile(r"(Disk|File|S3|AzureBlobStorage)\([^;]*\)\Z")


def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet; the copy goes there.")],
    to: Annotated[
        str,
        typer.Option(
            "--to", help="Server mode: where ClickHouse writes its own part, such as Disk('backups', 'o2c.zip')."
        ),
    ] = "",
) -> None:
    """Copy the journal, then the store. Embedded, the tower is stopped meanwhile; to restore, put the folder back."""
    settings = settings_now()
    if settings.embedded:
        with hold_folder(settings.data_dir):
            copy_folder(settings, folder, with_store=True)
    else:
        if not _PLACE.match(to):
            raise Stop("with a ClickHouse server, say where it writes its part: --to \"Disk('backups', 'o2c.zip')\"")
        copy_folder(settings, folder, with_store=False)
        with opened(settings) as (store, _), store.writer() as client:
            client.command(f"BACKUP DATABASE {store.database} TO {to}")
    typer.echo(f"copied to {folder}")


def copy_folder(settings: Settings, folder: Path, *, with_store: bool) -> None:
    """Copy the data folder, the store last, and put it in place whole or not at all."""
    if folder.exists():
        raise Stop(f"{folder} exists; name a folder that does not")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, mode=0o700)
        for item in sorted(settings.data_dir.iterdir()):
            if item.name not in _LEFT_OUT:
                _copy(item, part / item.name)
        if with_store and (settings.data_dir / "store").exists():
            _copy(settings.data_dir / "store", part / "store")
        os.sync()
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise Stop(f"the copy to {folder} failed: {error}") from error


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        # A running collector may remove a segment under our hands: its rows are in the store by then.
        shutil.copytree(source, target, symlinks=True, copy_function=_copy_if_there)
    else:
        _copy_if_there(str(source), str(target))


def _copy_if_there(source: str, target: str) -> str:
    try:
        return str(shutil.copy2(source, target))
    except FileNotFoundError:
        return target
