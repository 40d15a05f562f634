"""`tower audit`: is the record of what was done to the outside world whole?"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tower.api.wire import instant, parse_instant
from tower.commands.hold import hold_folder
from tower.commands.opening import opened
from tower.commands.plainly import Stop, settings_now
from tower.commands.remote import Remote, Token, Url, checked
from tower.store.audit import Audit
from tower.store.audit_file import FORMATS, FileError, export, verify_file

app = typer.Typer(no_args_is_help=True, help="The chained record of every act.")


@app.command("export")
def export_file(
    since: Annotated[str | None, typer.Option("--from", help="First instant, as 2026-11-01T00:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The instant after the last.")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or ndjson.")] = "csv",
    url: Url = None,
    token: Token = None,
) -> None:
    """Write every row of a time to standard output, with the hashes that prove the file alone."""
    settings = settings_now()
    if form not in FORMATS:
        raise Stop(f"--format is {form!r}; it is one of {', '.join(FORMATS)}")
    first, last = _instant("--from", since), _instant("--to", until)
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        wanted = {"format": form, "from": instant(first), "to": instant(last)}
        with remote.client(600) as client:
            params = {k: v for k, v in wanted.items() if v is not None}
            with client.stream("GET", "/v1/audit", params=params) as reply:
                if not reply.is_success:
                    reply.read()
                    checked(reply)
                for text in reply.iter_text():
                    sys.stdout.write(text)
    else:
        with hold_folder(settings.data_dir), opened(settings) as (store, _):
            for line in export(Audit(store), first, last, form):
                sys.stdout.write(line)


@app.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="A file of `tower audit export`.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Check the whole chain, or a file by itself; names the first row that was changed, removed or inserted."""
    if file is not None:
        try:
            with file.open(newline="", encoding="utf-8") as text:
                found = verify_file(text)
        except (OSError, UnicodeDecodeError, FileError) as error:
            raise Stop(f"{file}: {error}") from error
        typer.echo(f"rows {found.first} to {found.last} of the audit are whole; the last one's hash is {found.head}")
        return
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        broken = remote.call("GET", "/v1/audit", params={"verify": "true", "limit": 1})["verified"]["first_broken"]
    else:
        with hold_folder(settings.data_dir), opened(settings) as (store, _):
            broken = Audit(store).verify()
    if broken is not None:
        raise Stop(f"the audit chain is broken at row {broken}")
    typer.echo("the audit chain is whole")


def _instant(option: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise Stop(f"{option} is {text!r}: {error}") from error
