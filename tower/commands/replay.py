"""`tower replay`: send what quarantine holds through the door again, after its cause is mended."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.progress import track

from tower.commands.plainly import EXIT, settings_now
from tower.commands.remote import Remote, Token, Url, checked


def replay(
    reason: Annotated[str | None, typer.Option("--reason", help="Only messages held for this reason.")] = None,
    connection: Annotated[str | None, typer.Option("--connection", help="Only messages of this connection.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Replay held messages through the running tower; exit code 2 when some are still refused."""
    remote = Remote.find(settings_now(), url, token)
    filters = {k: v for k, v in {"reason": reason, "connection": connection}.items() if v is not None}
    outcome: Counter[str] = Counter()
    with remote.client() as client:
        held: list[str] = []
        cursor: str | None = None
        while True:  # listed whole before the first is sent: sending changes the list
            page = checked(client.get("/v1/quarantine", params={**filters, **({"cursor": cursor} if cursor else {})}))
            held += [row["id"] for row in page["quarantine"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        for quarantine_id in track(held, description="replaying", disable=not held):
            reply = client.post(f"/v1/quarantine/{quarantine_id}/replay")
            taken = reply.is_success and bool(reply.json().get("accepted") or reply.json().get("duplicate"))
            outcome["taken" if taken else "still held"] += 1
    typer.echo(f"{len(held)} held, {outcome['taken']} taken, {outcome['still held']} still held")
    if outcome["still held"]:
        raise typer.Exit(EXIT)
