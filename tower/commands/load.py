"""`tower load`: files through the public door of a running tower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from collector.load import load_files
from tower.commands.plainly import Stop, settings_now
from tower.commands.remote import Remote, Token, Url


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
    for file in files:
        if not file.is_file():
            raise Stop(f"{file} is no file")
    total = sum(file.stat().st_size for file in files)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("loading", total=total)
        counts = load_files(
            files, remote.url, remote.token, connection, lambda done: progress.update(task, advance=done)
        )
    typer.echo(counts)
