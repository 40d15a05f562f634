"""`tower rules diff` and `tower rules backtest`: what differs between two books, what each would have said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rules.diff import diff, duration
from tower.api.backtest_wire import outcome_json, read_since
from tower.backtest.run import backtest as run_backtest
from tower.commands.hold import hold_folder
from tower.commands.opening import now, opened
from tower.commands.plainly import Stop, settings_now
from tower.commands.remote import Remote, Token, Url
from tower.commands.rule_books import on_disk, version
from tower.engine.books import recorded
from tower.model.connections import load_connections
from tower.store.client import Store

OVER = 1  # exit code when a bound was passed; 2 is "could not be done"
_POLL_S = 0.3
OldBook = Annotated[str, typer.Argument(help="Folder, file, beginning of a recorded version, or in-force.")]
NewBook = Annotated[str, typer.Argument(help="The same for the other book.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def diff_books(old: OldBook, new: NewBook, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Tell in words what differs between two rulebooks."""
    one, other = on_disk(old), on_disk(new)
    if one is None or other is None:
        with _recorded(url, token) as versions:
            one, other = one or version(old, versions), other or version(new, versions)
    found = diff(one, other, now())
    if as_json:
        fields = ("part", "name", "change", "text", "old", "new")
        typer.echo(json.dumps([{f: getattr(d, f) for f in fields} for d in found], indent=2))
        return
    for difference in found:
        typer.echo(difference.text)
    if not found:
        typer.echo("nothing that means anything differs")


def backtest(
    old: OldBook,
    new: NewBook,
    since: Annotated[str, typer.Option("--since", help="How far back: 90d, or a date or instant.")] = "90d",
    max_new: Annotated[int | None, typer.Option("--max-new", help="Exit with 1 above so many new verdicts.")] = None,
    max_lost: Annotated[int | None, typer.Option("--max-lost", help="Exit with 1 above so many lost ones.")] = None,
    max_notices_per_day: Annotated[
        int | None, typer.Option("--max-notices-per-day", help="Exit with 1 when one receiver hears of more in a day.")
    ] = None,
    orders: Annotated[int, typer.Option("--orders", help="How many single verdicts to list.", min=0, max=5000)] = 20,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Run two rulebooks over the stored history and tell which verdicts one gives and the other does not."""
    try:
        read_since(since, now())
    except ValueError as error:
        raise Stop(str(error)) from None
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        told = _remotely(remote, old, new, since, orders)
    else:
        with hold_folder(settings.data_dir), opened(settings) as (store, _):
            told = _here(store, old, new, since, orders)
    typer.echo(json.dumps(told, indent=2)) if as_json else _show(told)
    bounds = {"gained": max_new, "lost": max_lost, "busiest_day": max_notices_per_day}
    over = [
        f"{name} is {told[name]}, allowed {most}"
        for name, most in bounds.items()
        if most is not None and told[name] > most
    ]
    for line in over:
        typer.echo(line, err=True)
    if over:
        raise typer.Exit(OVER)


def _here(store: Store, old: str, new: str, since: str, orders: int) -> dict[str, Any]:
    """Return the outcome on the data folder."""
    settings = settings_now()
    versions = recorded(store)
    one, other = (on_disk(name) or version(name, versions) for name in (old, new))
    moment = now()
    with _bar() as told:
        outcome = run_backtest(
            store, load_connections(settings.connections), one, other, read_since(since, moment), moment,
            limit=orders, progress=told,
        )  # fmt: skip
    return outcome_json(outcome)


def _remotely(remote: Remote, old: str, new: str, since: str, orders: int) -> dict[str, Any]:
    """Return the outcome that a running tower finds; what was asked for is cancelled when this command ends."""
    body = {"old": _named(old), "new": _named(new), "since": since, "limit": orders, "wait_s": 0}
    run = remote.call("POST", "/v1/rules/backtest", json=body)
    address = f"/v1/rules/backtest/{run['id']}"
    try:
        with _bar() as told:
            while run["state"] == "running":
                time.sleep(_POLL_S)
                run = remote.call("GET", address)
                told(run["doing"], run["done"], run["of"])
    except BaseException:
        remote.call("DELETE", address)
        raise
    if run["state"] != "done":
        raise Stop(f"the backtest ended without an outcome: {run['error'] or run['state']}")
    return dict(run["outcome"])


def _named(name: str) -> dict[str, Any]:
    book = on_disk(name)
    return {"version": name} if book is None else {"files": book.text}


@contextmanager
def _bar() -> Iterator[Any]:
    """Yield what shows progress, on standard error so that the outcome alone is on standard output."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("backtest", total=None)
        yield lambda what, done, of: bar.update(task, description=what or "backtest", completed=done, total=of or None)


@contextmanager
def _recorded(url: str | None, token: str | None) -> Iterator[list[tuple[str, dict[str, str]]]]:
    """Yield the versions on record, of the running tower or of the data folder."""
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        found = remote.call("GET", "/v1/rules/versions", params={"text": "true"})["versions"]
        yield [(v["hash"], v["files"]) for v in reversed(found)]
    else:
        with hold_folder(settings.data_dir), opened(settings) as (store, _):
            yield recorded(store)


def _show(told: dict[str, Any]) -> None:
    """Print the outcome as people read it."""
    if not told["changed_rules"]:
        typer.echo("both books give the same verdicts on every order")
        return
    table = Table("rule", "kind", "gained", "lost", "moved", "same", "gained value", "lost value", "found earlier by")
    for row in told["rules"]:
        lead = row["lead_p50_s"]
        table.add_row(
            row["rule"], row["kind"], str(row["gained"]), str(row["lost"]), str(row["differently"]),
            "" if row["same"] is None else str(row["same"]), row["gained_value"] or "0.00", row["lost_value"] or "0.00",
            "" if lead is None else duration(-lead),
        )  # fmt: skip
    console = Console()
    console.print(table)
    for order in told["orders"]:
        at = order["new_opened_at"] or order["old_opened_at"]
        value = f"  {order['value']} {told['currency']}" if order["value"] else ""
        what = f"{order['rule']} {order['kind']} {order['object_id']}"
        typer.echo(f"{order['change']:<12} {order['order_id']}  {what}  {at}{value}")
    typer.echo(
        f"{told['gained']} gained, {told['lost']} lost, {told['differently']} moved, {told['same']} the same since "
        f"{told['since']}; at most {told['busiest_day']} for one receiver in a day; {told['judged_orders']} orders "
        f"judged in full, {told['seconds']:.1f} s"
    )
