"""`tower roi`: the figures for executives on a terminal, or as JSON for a spreadsheet."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tower.commands.plainly import settings_now
from tower.commands.remote import Remote, Token, Url

_MONEY, _SHARE = "money", "share"


def roi(
    since: Annotated[str | None, typer.Option("--from", help="Start of the window, 2026-11-01T00:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="End of the window; default now.")] = None,
    by: Annotated[str, typer.Option("--by", help="Groups: phase or stage.")] = "phase",
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as JSON.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show the figures of a window against the locked baseline, what acting won, and what is at risk now."""
    remote = Remote.find(settings_now(), url, token)
    params = {k: v for k, v in (("from", since), ("to", until), ("by", by)) if v}
    answer = remote.call("GET", "/v1/roi", params=params)
    if as_json:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    console = Console()
    baseline = answer["baseline"]
    before = f"baseline {baseline['since']} to {baseline['until']}" if baseline else "no baseline is locked"
    console.print(f"{answer['from']} to {answer['to']}, money in {answer['currency']}; {before}")
    console.print(figures_table(answer))
    console.print(earned_table(answer))
    risk = answer["at_risk"]
    console.print(f"stuck now: {risk['orders']} orders, {risk['value']} {answer['currency']}")


def figures_table(answer: dict[str, Any]) -> Table:
    """Return every figure with the baseline, the change since and its counts, or why there is none."""
    table = Table("figure", "now", "baseline", "change", "counts", title="Figures", title_justify="left")
    for figure in answer["figures"].values():
        then = (figure.get("baseline") or {}).get("value")
        change = (figure.get("change") or {}).get("value")
        counts = figure.get("refused") or ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in figure["counts"].items())
        told = told_as(figure["value"], figure["unit"])
        table.add_row(figure["label"], told, told_as(then, figure["unit"]), _change(figure, change), counts)
    return table


def earned_table(answer: dict[str, Any]) -> Table:
    """Return what acting won by stage, each figure with its interval and what it rests on."""
    table = Table(
        "stage", "figure", "estimate", "95 % interval", "rests on", title="What acting won", title_justify="left"
    )
    for part in answer["earned"]:
        for figure in part["figures"].values():
            if figure.get("refused"):
                table.add_row(part["stage"], "", "no figure", "", figure["refused"])
                break
            counts = figure["counts"]
            low, high = (told_as(figure[end], figure["unit"]) for end in ("low", "high"))
            rests = f"{counts['matched']} of {counts['acts']} acts, twins of {counts['twin_orders']} orders"
            table.add_row(
                part["stage"], figure["label"], told_as(figure["value"], figure["unit"]), f"{low} to {high}", rests
            )
    return table


def told_as(value: Any, unit: str) -> str:
    """Return a figure for people: durations, shares in percent, money with separators; a dash for none."""
    if value is None:
        return "-"
    if unit == _MONEY:
        return f"{float(value):,.2f}"
    if unit == _SHARE:
        return f"{value:.1%}"
    if unit.endswith("seconds"):
        return str(timedelta(seconds=round(value)))
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _change(figure: dict[str, Any], change: float | None) -> str:
    if change is None:
        return ""
    text = f"{change * 100:+.1f}" + (" points" if figure["change"]["in"] == "points" else " %")
    good = {"less": change < 0, "more": change > 0}.get(figure["better"])
    return text if good is None or change == 0 else f"[{'green' if good else 'red'}]{text}[/]"
