"""`tower status`: is it well, how far behind, which feeds are late?"""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from tower.commands.plainly import EXIT, settings_now
from tower.commands.remote import Remote, Token, Url, checked


def status(url: Url = None, token: Token = None) -> None:
    """Show health, backlog and feeds of the running tower; exit code 2 when it is not well."""
    remote = Remote.find(settings_now(), url, token)
    console = Console()
    with remote.client() as client:
        health = client.get("/healthz")
        ready = client.get("/readyz")
        feeds = checked(client.get("/v1/feeds"))
    for name, reply in (("health", health), ("ready", ready)):
        word = "[green]ok[/]" if reply.is_success else "[red]not ok[/]"
        facts = reply.json()
        said = ", ".join(f"{k} {v}" for k, v in facts.items() if not isinstance(v, dict | list) and v is not None)
        console.print(f"{name:7} {word}  {said}")
    table = Table("feed", "kind", "state", "why", "heard up to", "last message", title="Feeds", title_justify="left")
    for feed in feeds["feeds"]:
        colour = {"ok": "green", "late": "red"}.get(feed["state"], "yellow")
        row = (
            feed["connection"],
            feed["kind"],
            f"[{colour}]{feed['state']}[/]",
            (feed["reason"] or "").replace("_", " "),
            feed["watermark"] or "never",
            feed["last_seen_at"] or "never",
        )
        table.add_row(*map(str, row))
    for name in feeds["unconfigured"]:
        table.add_row(name, "", "[yellow]no connection[/]", "the rulebook names it, nothing waits for it", "", "")
    console.print(table)
    if not (health.is_success and ready.is_success):
        raise typer.Exit(EXIT)
