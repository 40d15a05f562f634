"""`tower load`: files through the public door of a running tower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from collector.load import load_files
from tower.commands.plainly import EXIT, settings_now
from tower.commands.remote import Remote, Token, Url

SHOWN = 20  # rejected events that are listed


def load(
    files: Annotated[list[Path], typer.Argument(help="NDJSON of CloudEvents, plain or gzip.")],
    connection: Annotated[
        str | None, typer.Option("--connection", help="The connection the files came through.")
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send files of events to the running tower and say what became of them."""
    remote = Remote.find(settings_now(), url, token)
    total = sum(file.stat().st_size for file in files if file.is_file())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    done: dict[Path, int] = {}
    with Progress(*columns, console=Console(stderr=True)) as progress, remote.client(60) as client:
        task = progress.add_task("loading", total=total)

        def tell(file: Path, sent: int) -> None:
            done[file] = sent
            progress.update(task, completed=sum(done.values()), description=file.name)

        result = load_files(files, remote.url, remote.token or "", connection, tell, client=client)
    for item in result.rejected[:SHOWN]:
        typer.echo(f"{item.where}: {item.code}: {item.detail}", err=True)
    if len(result.rejected) > SHOWN:
        typer.echo(f"... and {len(result.rejected) - SHOWN} more", err=True)
    typer.echo(
        f"{result.sent} sent: {result.accepted} accepted, {result.duplicate} duplicate, "
        f"{result.quarantined} quarantined, {len(result.rejected)} rejected"
    )
    if result.rejected:
        raise typer.Exit(EXIT)
