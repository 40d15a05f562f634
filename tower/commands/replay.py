"""`tower replay`: another try for what quarantine holds, or for kept native messages, after a cause is mended."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import httpx
import typer
from rich.progress import track

from tower.commands.plainly import EXIT, Stop, settings_now
from tower.commands.remote import Remote, Token, Url, checked

_WAIT_S = 24 * 3600.0


def replay(
    reason: Annotated[str | None, typer.Option("--reason", help="Only messages held for this reason.")] = None,
    connection: Annotated[str | None, typer.Option("--connection", help="Only messages of this connection.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Read every kept native message of --connection again, or those of --raw-id.")
    ] = False,
    raw_id: Annotated[list[str] | None, typer.Option("--raw-id", help="One kept message; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what messages of --raw-id would become.")] = False,
    why: Annotated[str, typer.Option("--why", help="What was mended, for the audit.")] = "",
    url: Url = None,
    token: Token = None,
) -> None:
    """Replay held messages through the running tower; exit code 2 when some are still refused."""
    remote = Remote.find(settings_now(), url, token)
    if raw or raw_id:
        _read_again(remote, connection, raw_id or [], dry_run, why)
        return
    filters = {k: v for k, v in {"reason": reason, "connection": connection}.items() if v is not None}
    outcome: Counter[str] = Counter()
    with remote.client() as client:
        held = _held(client, filters)
        for quarantine_id in track(held, description="replaying", disable=not held):
            reply = client.post(f"/v1/quarantine/{quarantine_id}/replay")
            taken = reply.is_success and bool(reply.json().get("accepted") or reply.json().get("duplicate"))
            outcome["taken" if taken else "still held"] += 1
    typer.echo(f"{len(held)} held, {outcome['taken']} taken, {outcome['still held']} still held")
    if outcome["still held"]:
        raise typer.Exit(EXIT)


def _held(client: httpx.Client, filters: dict[str, str]) -> list[str]:
    """Return the ids of held messages, listed whole before the first is sent: sending changes the list."""
    held: list[str] = []
    cursor: str | None = None
    while True:
        page = checked(client.get("/v1/quarantine", params={**filters, **({"cursor": cursor} if cursor else {})}))
        held += [row["id"] for row in page["quarantine"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return held


def _read_again(remote: Remote, connection: str | None, raw_ids: list[str], dry_run: bool, why: str) -> None:
    if bool(connection) == bool(raw_ids):
        raise Stop("say which messages to read again: --raw --connection NAME, or --raw-id ID")
    if dry_run:
        if not raw_ids:
            raise Stop("a dry run shows single messages: name them with --raw-id; `GET /v1/raw` lists them")
        for raw_id in raw_ids:
            for document in remote.call("POST", f"/v1/raw/{raw_id}/dry-run")["documents"]:
                typer.echo(_told(raw_id, document))
        return
    with remote.client(_WAIT_S) as client:
        order = {"raw_ids": raw_ids, "connection": connection or "", "reason": why}
        done = checked(client.post("/v1/raw/replay", json=order))
    typer.echo(", ".join(f"{count} {name}" for name, count in done.items()))
    if done["quarantined"]:
        raise typer.Exit(EXIT)


def _told(raw_id: str, document: dict[str, object]) -> str:
    events = document["events"]
    assert isinstance(events, list)
    said = f"{document['reason']}: {document['detail']}" if document["reason"] else f"{len(events)} events"
    lines = [f"{raw_id} {document['position']}  {document['mapping'] or 'no mapping'}  {said}"]
    return "\n".join([*lines, *(f"  {e['time']} {e['type']} {e['data']}" for e in events)])
