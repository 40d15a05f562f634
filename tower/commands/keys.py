"""`tower keys`: who may speak to the tower. Through the running tower where there is one, else in its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rules.duration import HINT, parse_duration
from tower.api.wire import instant
from tower.commands.hold import hold_folder
from tower.commands.opening import now, opened
from tower.commands.plainly import Stop, settings_now
from tower.commands.remote import Remote, Token, Url
from tower.model.principal import ROLES
from tower.settings import Settings
from tower.store.keys import Keys

app = typer.Typer(no_args_is_help=True, help="Named bearer keys: make, list, rotate, revoke.")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Who the key is for; the audit names it.")],
    role: Annotated[
        list[str] | None, typer.Option("--role", help=f"One of {', '.join(ROLES)}; may be repeated.")
    ] = None,
    connection: Annotated[
        list[str] | None, typer.Option("--connection", help="May send events for it; may be repeated; * is any.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Sees only these orders: partner=P, company=C or warehouse=W; may be repeated."),
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="Ends by itself after this time: 90d, 12h.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Make a key and print its token, once."""
    settings = settings_now()
    roles, connections, scopes, ends = role or ["viewer"], connection or [], scope or [], _ending(expires)
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        body = {
            "name": name, "roles": roles, "connections": connections, "scopes": scopes, "expires_at": instant(ends),
        }  # fmt: skip
        made = remote.call("POST", "/v1/keys", json=body)["token"]
    else:
        with _keys(settings) as keys:
            made = keys.add(name, roles, connections, scopes, ends)
    typer.echo(made)


@app.command("rotate")
def rotate(
    name: str,
    overlap: Annotated[str, typer.Option("--overlap", help="How long the token before still works.")] = "24h",
    expires: Annotated[
        str | None, typer.Option("--expires", help="Ends by itself after this time; default as long a life as before.")
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Give a key another token and print it, once; the one before works for a while, so that nobody is cut off."""
    settings = settings_now()
    ends, overlap_s = _ending(expires), _seconds(overlap)
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        body = {"overlap_s": overlap_s, "expires_at": instant(ends)}
        made = remote.call("POST", f"/v1/keys/{name}/rotate", json=body)["token"]
    else:
        with _keys(settings) as keys:
            made = keys.rotate(name, timedelta(seconds=overlap_s), ends)
    typer.echo(made)


@app.command("list")
def list_keys(url: Url = None, token: Token = None) -> None:
    """Show every key ever made; tokens cannot be shown."""
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        rows = remote.call("GET", "/v1/keys")["keys"]
    else:
        with _keys(settings) as keys:
            rows = [asdict(k) for k in keys.list()]
    table = Table("name", "roles", "sees only", "may send for", "made", "ends", "revoked")
    for row in rows:
        lists = (", ".join(row[name]) for name in ("roles", "scopes", "connections"))
        table.add_row(row["name"], *lists, *(_shown(row[at]) for at in ("created_at", "expires_at", "revoked_at")))
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


def _ending(text: str | None) -> datetime | None:
    return None if text is None else now() + timedelta(seconds=_seconds(text))


def _seconds(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Stop(f"{error}; {HINT}") from error


def _shown(at: datetime | str | None) -> str:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{moment:%F %T}" if moment else ""


@contextmanager
def _keys(settings: Settings) -> Iterator[Keys]:
    with hold_folder(settings.data_dir), opened(settings) as (_, keys):
        yield keys
