"""`tower rules`: work on a rulebook; `backtest` and versions need a store, all else needs none."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from rules.compile import compile_book
from rules.model import Book
from rules.parse import SHIPPED, load_book
from tower.commands import backtests
from tower.commands.plainly import EXIT, settings_now
from tower.engine.examples import run_examples
from tower.model.connections import load_connections
from tower.store.client import Store
from tower.store.migrate import migrate

app = typer.Typer(no_args_is_help=True, help="Check, compile, compare and try a rulebook.")
app.command("diff")(backtests.diff_books)
app.command("backtest")(backtests.backtest)
BookFolder = Annotated[
    Path | None, typer.Option("--book", help="Rulebook folder; default TOWER_BOOK, else the book that ships.")
]


@app.command("check")
def check(book: BookFolder = None) -> None:
    """Read the book strictly; every problem is listed with file, line, key and a hint."""
    read = _read(book)
    typer.echo(
        f"{len(read.milestones)} milestones, {len(read.stages)} stages, {len(read.actions)} actions, "
        f"{len(read.examples)} examples: no problem ({read.hash[:12]})"
    )


@app.command("sql")
def sql(book: BookFolder = None) -> None:
    """Print the SQL that the book becomes: what the engine runs."""
    read = _read(book)
    kinds = load_connections(settings_now().connections).kinds
    typer.echo(compile_book(read, kinds).text)


@app.command("test")
def test(book: BookFolder = None) -> None:
    """Run the examples that the book carries on an embedded store."""
    read = _read(book)
    with tempfile.TemporaryDirectory(prefix="tower-rules-") as folder:
        store = Store(f"chdb://{folder}")
        try:
            migrate(store)
            results = run_examples(read, store)
        finally:
            store.close()
    failed = 0
    for result in results:
        failed += not result.ok
        typer.echo(f"{'ok  ' if result.ok else 'FAIL'} {result.name}" + ("" if result.ok else f"\n{result.detail}"))
    typer.echo(f"{len(results) - failed} of {len(results)} examples hold")
    if failed:
        raise typer.Exit(EXIT)


def _read(folder: Path | None) -> Book:
    return load_book(folder or settings_now().book or SHIPPED)
