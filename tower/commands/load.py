"""`tower load`: files through the public doors of a running tower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from collector.files.load import Loaded, load_native
from collector.load import load_files
from tower.commands.plainly import EXIT, settings_now
from tower.commands.remote import Remote, Token, Url

SHOWN = 20  # rejected events that are listed


def load(
    files: Annotated[
        list[Path],
        typer.Argument(help="NDJSON of CloudEvents, or with --connection files of that system; plain or gzip."),
    ],
    connection: Annotated[
        str | None,
        typer.Option("--connection", help="The connection whose own files these are."),
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send files of events, or of a system's own format, to the running tower and say what became of them."""
    remote = Remote.find(settings_now(), url, token)
    good = _own(files, connection, remote) if connection else _events(files, remote)
    if not good:
        raise typer.Exit(EXIT)


def _events(files: list[Path], remote: Remote) -> bool:
    """Load files of CloudEvents; return whether all of them were taken."""
    with _bar(files) as tell, remote.client(60) as client:
        result = load_files(files, remote.url, remote.token or "", tell, client=client)
    for item in result.rejected[:SHOWN]:
        typer.echo(f"{item.where}: {item.code}: {item.detail}", err=True)
    if len(result.rejected) > SHOWN:
        typer.echo(f"... and {len(result.rejected) - SHOWN} more", err=True)
    typer.echo(
        f"{result.sent} sent: {result.accepted} accepted, {result.duplicate} duplicate, "
        f"{result.quarantined} quarantined, {len(result.rejected)} rejected"
    )
    return not result.rejected


def _own(files: list[Path], connection: str, remote: Remote) -> bool:
    """Load a system's own files; return whether none of them was refused whole."""
    with _bar(files) as tell, remote.client(120) as client:
        loaded = list(load_native(files, connection, client, tell))
    for file in loaded:
        typer.echo(_said(file))
        for reason, detail in file.reasons:
            typer.echo(f"  {reason}: {detail}", err=True)
    return all(file.outcome != "quarantined" for file in loaded)


def _said(file: Loaded) -> str:
    if file.duplicate:
        return f"{file.path}: taken before as message {file.raw_id}; nothing is taken twice"
    if file.outcome == "quarantined":
        return f"{file.path}: refused whole, message {file.raw_id} waits in quarantine"
    counts = f"{file.events} events, {file.quarantined} quarantined, {file.unchanged} unchanged"
    return f"{file.path}: taken as message {file.raw_id}: {counts}"


@contextmanager
def _bar(files: list[Path]) -> Iterator[Callable[[Path, int], None]]:
    """Show how far files have been sent; the function inside is told (file, bytes sent)."""
    total = sum(file.stat().st_size for file in files if file.is_file())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    done: dict[Path, int] = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("loading", total=total)

        def tell(file: Path, sent: int) -> None:
            done[file] = sent
            progress.update(task, completed=sum(done.values()), description=file.name)

        yield tell
