"""The composition root: every command of `tower`. Nothing imports this file but the start of the process."""

from __future__ import annotations

import atexit
import gc

import typer

from tower.commands import audit, backup, connections, demo, keys, load, mappings, replay, roi, rules, status, store
from tower.commands.plainly import plainly, settings_now
from tower.commands.serve import serve
from tower.settings import SETTINGS

# Protobuf's C extension crashes now and then when the ending interpreter collects garbage; the frozen is not walked.
atexit.register(gc.freeze)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="O2C Control Tower: where every order is stuck, why, what it costs, and proof that the retry worked.",
)

_SETTINGS_HELP = "\n\nSettings are read from the environment:\n\n" + "\n\n".join(
    f"{s.name} (default {s.default}): {s.help}" if s.default else f"{s.name}: {s.help}" for s in SETTINGS
)


@app.command(help="Run the tower: doors, engine and API in one process, until SIGTERM or Ctrl-C." + _SETTINGS_HELP)
def run() -> None:
    """Run the whole tower."""
    serve(settings_now())


@app.command(help="Run the doors alone; a tower on the same ClickHouse judges what comes in." + _SETTINGS_HELP)
def collect() -> None:
    """Run a collector."""
    serve(settings_now(), doors_only=True)


app.command("demo")(demo.demo)
app.command("load")(load.load)
app.command("status")(status.status)
app.command("roi")(roi.roi)
app.command("replay")(replay.replay)
app.command("migrate")(store.migrate)
app.command("backup")(backup.backup)
app.command("purge")(store.purge)
app.add_typer(rules.app, name="rules")
app.add_typer(connections.app, name="connections")
app.add_typer(mappings.app, name="mappings")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")


def run_line(arguments: list[str]) -> int:
    """Run one command line in this process and return its exit code."""
    return plainly(lambda: app(arguments))
