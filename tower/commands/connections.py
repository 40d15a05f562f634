"""`tower connections`: check a connections file, and try one of its doors on a message, without a server."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collector.ingest.proof import prove, secrets_of
from collector.mapping import SHIPPED, MappingsError, MappingSet, Outcome, load_mappings
from collector.raw.keep import kept_headers, kept_query
from collector.raw.mapper import context_of
from collector.raw.message import RawMessage, digest_of
from collector.raw.names import Named, names_of
from collector.verify import Message
from tower.commands.plainly import EXIT, Stop, settings_now
from tower.model.connection import Connection
from tower.model.connections import load_connections
from tower.model.problem import Problem
from tower.model.schemes import KEY
from tower.model.secret import SecretError, Secrets

app = typer.Typer(no_args_is_help=True, help="Check the connections file and try its doors.")
File = Annotated[Path, typer.Argument(help="The connections file, as TOWER_CONNECTIONS names it.")]


@app.command("check")
def check(file: File) -> None:
    """Read the file strictly, look every secret up, and find every mapping set; name each mistake."""
    entries = load_connections(file).entries
    mappings = _mappings() if any(c.mapping for c in entries) else MappingSet({})
    broken = 0
    for connection in entries:
        problems = list(_problems(connection, mappings))
        broken += bool(problems)
        proof = connection.verify.scheme + (f" x{len(connection.verify.secrets)}" if connection.verify.secrets else "")
        state = "; ".join(problems) if problems else "ok"
        columns = (connection.name, connection.kind, proof, connection.mapping or "no mapping", connection.zone, state)
        typer.echo("{:<20} {:<10} {:<22} {:<16} {:<18} {}".format(*columns))
    typer.echo(f"{len(entries)} connections, {broken} with problems")
    if broken:
        raise typer.Exit(EXIT)


@app.command("test")
def test(
    file: File,
    payload: Annotated[Path, typer.Argument(help="A message as the system sends it.")],
    connection: Annotated[str, typer.Option("--connection", help="The connection that it comes through.")],
    header: Annotated[
        list[str] | None, typer.Option("--header", help="A header of the message, 'Name: value'.")
    ] = None,
    query: Annotated[list[str] | None, typer.Option("--query", help="A parameter of the address, name=value.")] = None,
    peer: Annotated[str, typer.Option("--peer", help="The address that connects, for mtls_header.")] = "",
    at: Annotated[
        str, typer.Option("--at", help="When it arrives, RFC 3339; a recorded signature is of its time.")
    ] = "",
) -> None:
    """Print whether a message would be let in and what would become of it. Nothing is sent or kept."""
    found = load_connections(file).named(connection)
    if found is None:
        raise Stop(f"{file}: there is no connection {connection!r}")
    try:
        body = payload.read_bytes()
    except OSError as error:
        raise Stop(f"{payload}: cannot be read ({error.strerror})") from error
    headers = {name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in header or [])}
    parameters = {name: value for name, _, value in (q.partition("=") for q in query or [])}
    now = _moment(at)
    good = _prove(found, Message(headers, parameters, body, peer), now)
    named = names_of(found, headers, parameters, body)
    signed = "signed" if named.signed else "not signed"
    typer.echo(f"names: id {named.event_id or 'none'}, {signed}; {named.topic or 'no topic'}")
    good = _read(found, headers, parameters, body, named, now) and good
    if not good:
        raise typer.Exit(EXIT)


def _problems(connection: Connection, mappings: MappingSet) -> list[str]:
    """Return what would end the start, or make every message of a connection unusable."""
    found = []
    try:
        secrets_of(connection, _secrets())
    except SecretError as error:
        found.append(str(error).removeprefix(f"connection {connection.name}: "))
    if connection.mapping:
        try:
            mappings.select(connection.mapping)
        except MappingsError as error:
            found.append(f"mapping: {error.problems[0]}")
    if connection.files is not None and not Path(connection.files.folder).is_dir():
        found.append(f"files: there is no folder {connection.files.folder}")
    return found


def _prove(connection: Connection, message: Message, now: datetime) -> bool:
    if connection.verify.scheme == KEY:
        typer.echo("proof: a key of the tower that may send for this connection")
        return True
    try:
        prove(connection, secrets_of(connection, _secrets()), message, message.body, now)
    except Problem as problem:
        typer.echo(f"proof: {problem.status} {problem.code}: {problem.detail}")
        return False
    typer.echo(f"proof: {connection.verify.scheme} fits")
    return True


def _read(
    connection: Connection, headers: dict[str, str], query: dict[str, str], body: bytes, named: Named, now: datetime
) -> bool:
    if not connection.mapping:
        typer.echo("unmapped_payload: the connection names no mapping")
        return False
    message = RawMessage(
        raw_id="",
        connection=connection.name,
        received_at=now,
        method="POST",
        headers=kept_headers(headers, connection.verify, connection.headers),
        query=kept_query(query, connection.verify),
        size=len(body),
        sha256=digest_of(body),
        event_id=named.event_id,
        topic=named.topic,
        scheme=connection.verify.scheme,
        body="",
    )
    outcomes = list(_mappings().select(connection.mapping).outcomes(body, context_of(connection, message)))
    for outcome in outcomes:
        tell(outcome)
    return not any(outcome.reason for outcome in outcomes)


def tell(outcome: Outcome) -> None:
    """Print what becomes of one document."""
    said = outcome.reason and f"{outcome.reason}: {outcome.detail}"
    said = said or (outcome.ignored and f"no event: {outcome.ignored}") or f"{len(outcome.events)} events"
    typer.echo(f"{outcome.position or 'message'}  {outcome.mapping or 'no mapping'}  {said}")
    for mapped in outcome.events:
        typer.echo(json.dumps(mapped.event, indent=2, ensure_ascii=False))


def _mappings() -> MappingSet:
    own = settings_now().mappings
    return load_mappings(*([SHIPPED, own] if own else [SHIPPED]))


def _secrets() -> Secrets:
    return Secrets(os.environ, settings_now().secrets_dir)


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"--at {text!r} is no instant; write it as 2026-03-01T09:30:00Z") from None
    if at.tzinfo is None:
        raise Stop(f"--at {text!r} names no zone; write it as 2026-03-01T09:30:00Z")
    return at.astimezone(UTC)
