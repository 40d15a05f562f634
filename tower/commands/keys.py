"""`tower keys`: who may speak to the tower. Through the running tower where there is one, else in its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tower.commands.hold import hold_folder
from tower.commands.opening import opened
from tower.commands.plainly import settings_now
from tower.commands.remote import Remote, Token, Url
from tower.settings import Settings
from tower.store.keys import Keys

app = typer.Typer(no_args_is_help=True, help="Named bearer keys: make, list, revoke.")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Who the key is for; the audit names it.")],
    role: Annotated[
        list[str] | None, typer.Option("--role", help="viewer, operator or admin; may be repeated.")
    ] = None,
    connection: Annotated[
        list[str] | None, typer.Option("--connection", help="May send events for it; may be repeated; * is any.")
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Make a key and print its token, once."""
    settings = settings_now()
    roles, connections = role or ["viewer"], connection or []
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        body = {"name": name, "roles": roles, "connections": connections}
        made = remote.call("POST", "/v1/keys", json=body)["token"]
    else:
        with _keys(settings) as keys:
            made = keys.add(name, roles, connections)
    typer.echo(made)


@app.command("list")
def list_keys(url: Url = None, token: Token = None) -> None:
    """Show every key ever made; tokens cannot be shown."""
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        rows = [
            (k["name"], k["roles"], k["connections"], k["created_at"], k["revoked_at"] or "")
            for k in remote.call("GET", "/v1/keys")["keys"]
        ]
    else:
        with _keys(settings) as keys:
            rows = [
                (
                    k.name,
                    k.roles,
                    k.connections,
                    f"{k.created_at:%F %T}",
                    f"{k.revoked_at:%F %T}" if k.revoked_at else "",
                )
                for k in keys.list()
            ]
    table = Table("name", "roles", "may send for", "made", "revoked")
    for name, roles, connections, made, revoked in rows:
        table.add_row(name, ", ".join(roles), ", ".join(connections), made, revoked)
    Console().print(table)


@app.command("revoke")
def revoke(name: str, url: Url = None, token: Token = None) -> None:
    """End a key at once."""
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        remote.call("DELETE", f"/v1/keys/{name}")
    else:
        with _keys(settings) as keys:
            keys.revoke(name)
    typer.echo(f"{name} is revoked")


@contextmanager
def _keys(settings: Settings) -> Iterator[Keys]:
    with hold_folder(settings.data_dir), opened(settings) as (_, keys):
        yield keys
