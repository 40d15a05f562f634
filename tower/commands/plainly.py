"""How a command ends when it cannot go on: one clear sentence on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx
import typer

from collector.load import LoadError
from collector.lock import JournalInUse
from collector.mapping import MappingsError
from rules.errors import RulebookError
from tower.model.connections import ConnectionsError
from tower.model.secret import SecretError
from tower.settings import Settings, SettingsError
from tower.store.client import StoreError
from tower.store.keys import KeyProblem
from tower.store.seal import SealError

EXIT = 2


class Stop(Exception):
    """A command cannot go on; the message says why and what to do."""


def plainly(run: Callable[[], object]) -> int:
    """Run a command line and return its exit code, with expected failures said in words."""
    try:
        run()
    except (RulebookError, MappingsError) as error:
        count = len(error.problems)
        what = "the rulebook" if isinstance(error, RulebookError) else "the mappings"
        typer.echo(f"{what} cannot be used: {count} problem{'s' if count != 1 else ''}", err=True)
        for problem in error.problems:
            typer.echo(f"  {problem}", err=True)
        return EXIT
    except (
        Stop,
        SettingsError,
        ConnectionsError,
        SecretError,
        SealError,
        StoreError,
        KeyProblem,
        JournalInUse,
        LoadError,
    ) as error:
        typer.echo(f"tower: {error}", err=True)
        return EXIT
    except httpx.TransportError as error:
        typer.echo(f"tower: the tower does not answer ({error}); is it running, and is --url right?", err=True)
        return EXIT
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def settings_now() -> Settings:
    """Return the settings that the environment describes."""
    return Settings.from_env(os.environ)
