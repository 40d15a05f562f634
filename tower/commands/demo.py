"""`tower demo`: everything at once, to look at and to click on."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tower.commands.plainly import Stop
from tower.demo.launch import Addresses, DemoConfig, DemoError, started, tail


def demo(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Keep everything here; default is a folder that is thrown away.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the tower.")] = 8080,
    dashboards_port: Annotated[int, typer.Option(help="Port of the dashboards.")] = 8501,
    middleware_port: Annotated[int, typer.Option(help="Port of the simulated middleware.")] = 9000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 7,
    rate: Annotated[float, typer.Option(help="New orders per second.", min=0.05, max=50)] = 2.0,
) -> None:
    """Start the tower, a simulated middleware with live orders, and the dashboards. Ctrl-C stops all."""
    signal.signal(signal.SIGTERM, _interrupt)
    config = DemoConfig(data_dir, port, dashboards_port, middleware_port, seed, rate)
    try:
        with started(config, typer.echo) as (at, children):
            _welcome(at)
            while (ended := children.ended()) is None:
                time.sleep(0.5)
            raise Stop(f"the {ended.name} stopped with code {ended.process.returncode}:\n{tail(children, ended.name)}")
    except DemoError as error:
        raise Stop(str(error)) from error
    except KeyboardInterrupt:
        typer.echo("stopped")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _welcome(at: Addresses) -> None:
    typer.echo(f"""
  Dashboards    {at.dashboards}   (signed in as demo-operator, who may retry)
  Tower API     {at.tower}   (docs/api.md lists every endpoint)
  Middleware    {at.middleware}   (simulated; takes the retries)

  Operator key  {at.operator_key}
  Admin key     {at.admin_key}
  Logs          {at.logs}

  Break the ERP curl -X POST {at.middleware}/systems/erp/break    (and /mend: retries fail, the breaker opens)
  Stop a feed   curl -X POST {at.middleware}/feeds/wms-berlin/stop    (and /start: its orders are unknown, not late)
  Try           curl -s -H "Authorization: Bearer {at.operator_key}" "{at.tower}/v1/orders?state=stuck&limit=3"

Orders in every state are on the board within a minute. Ctrl-C stops everything.
""")
