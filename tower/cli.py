"""The composition root: builds every concrete thing and hands it on. Nothing imports this file."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="O2C Control Tower")


def main() -> None:
    """Run the command line."""
    app()
