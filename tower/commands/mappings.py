"""`tower mappings`: look at, check and try mappings without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collector.mapping import SHIPPED, Context, MappingsError, MappingSet, System, load_mappings
from collector.mapping.check import check as run_examples
from collector.mapping.read import read_mapping
from rules.parse import SHIPPED as SHIPPED_BOOK
from rules.parse import load_book
from tower.commands.plainly import EXIT, Stop, settings_now
from tower.model.connections import load_connections

app = typer.Typer(no_args_is_help=True, help="Look at, check and try the mappings of native messages.")
SetName = Annotated[str | None, typer.Option("--set", help="One mapping set; default all.")]
Headers = Annotated[list[str] | None, typer.Option("--header", help="A header of the message, 'Name: value'.")]
ConnectionName = Annotated[str | None, typer.Option("--connection", help="Take zone, currency and codes from it.")]


@app.command("list")
def list_() -> None:
    """Print every mapping: set, name@version:hash, status, format and number of tests."""
    for system in _load().systems.values():
        for mapping in system.mappings:
            columns = (system.name, mapping.label, mapping.status, mapping.decode["format"], len(mapping.examples))
            typer.echo("{:<16} {:<44} {:<13} {:<8} {} tests".format(*columns))


@app.command("check")
def check(set_: SetName = None) -> None:
    """Read all mappings strictly, run the tests inside them, and name milestones that the rulebook lacks."""
    mappings = _load()
    held = failed = 0
    for line in _unknown_milestones(mappings, set_):
        typer.echo(line)
    for result in run_examples(mappings, set_):
        held, failed = held + (not result.problem), failed + bool(result.problem)
        if result.problem:
            typer.echo(f"FAIL {result.where}: {result.name}\n  {result.problem}")
    typer.echo(f"{held} of {held + failed} tests hold")
    if failed:
        raise typer.Exit(EXIT)


@app.command("test")
def test(
    mapping: Annotated[str, typer.Argument(help="A mapping set by name, or a mapping file.")],
    payloads: Annotated[list[Path], typer.Argument(help="Messages as the system sends them, one a file.")],
    header: Headers = None,
    connection: ConnectionName = None,
) -> None:
    """Print the events that messages would give, or why they would be quarantined. Nothing is sent."""
    system = _system(mapping)
    context = _context(system.name, connection, header or [])
    unusable = False
    for path in payloads:
        try:
            body = path.read_bytes()
        except OSError as error:
            raise Stop(f"{path}: cannot be read ({error.strerror})") from error
        for outcome in system.outcomes(body, context):
            said = outcome.reason and f"{outcome.reason}: {outcome.detail}"
            said = said or (outcome.ignored and f"no event: {outcome.ignored}") or f"{len(outcome.events)} events"
            typer.echo(f"{path} {outcome.position}  {outcome.mapping or 'no mapping'}  {said}")
            for mapped in outcome.events:
                typer.echo(json.dumps(mapped.event, indent=2, ensure_ascii=False))
            unusable = unusable or bool(outcome.reason)
    if unusable:
        raise typer.Exit(EXIT)


def _unknown_milestones(mappings: MappingSet, only: str | None) -> list[str]:
    """Return a line for each milestone that the rulebook does not have: its events would wait in quarantine."""
    known = load_book(settings_now().book or SHIPPED_BOOK).milestones
    systems = [mappings.select(only)] if only else mappings.systems.values()
    spoken = {
        (mapping.file, emit.milestone.partition(".")[0])
        for system in systems
        for mapping in system.mappings
        for emit in mapping.emits
        if isinstance(emit.milestone, str)
    }
    return [f"note: {file}: the rulebook has no milestone {name}" for file, name in sorted(spoken) if name not in known]


def _load() -> MappingSet:
    own = settings_now().mappings
    return load_mappings(*([SHIPPED, own] if own else [SHIPPED]))


def _system(mapping: str) -> System:
    path = Path(mapping)
    if path.suffix not in (".yaml", ".yml"):
        return _load().select(mapping)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: cannot be read ({error})") from error
    read, problems = read_mapping(str(path), text, path.parent)
    if read is None:
        raise MappingsError(problems)
    return System(path.parent.resolve().name, (read,))


def _context(system: str, connection: str | None, headers: list[str]) -> Context:
    pairs = (header.partition(":") for header in headers)
    named = {name.strip().lower(): value.strip() for name, _, value in pairs}
    now = datetime.now(UTC)
    if connection is None:
        return Context(system, "erp", f"/erp/{system}", now, headers=named)
    found = next((c for c in load_connections(settings_now().connections).entries if c.name == connection), None)
    if found is None:
        raise Stop(f"there is no connection {connection!r} in TOWER_CONNECTIONS")
    return Context(
        found.name, found.kind, found.source, now, found.zone, found.currency, found.company, found.codes, named
    )
