"""`tower migrate` and `tower purge`: the store without its tower."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated

import typer

from tower.alerts.forget import forget_address
from tower.commands.hold import hold_folder
from tower.commands.opening import now, opened
from tower.commands.plainly import Stop, settings_now
from tower.model.secret import Secrets
from tower.store.client import Store
from tower.store.migrate import available
from tower.store.migrate import migrate as apply_missing
from tower.store.retention import drop_telemetry, empty_customer, empty_older
from tower.store.seal import load_seal


def migrate(
    show: Annotated[
        bool, typer.Option("--print", help="Print every migration instead of applying what is missing.")
    ] = False,
) -> None:
    """Bring the store up to date, as `tower run` does at its start."""
    if show:
        for _, name, text in available():
            typer.echo(f"-- {name}\n{text}")
        return
    settings = settings_now()
    with hold_folder(settings.data_dir):
        store = Store(settings.clickhouse)
        try:
            applied = apply_missing(store)
        finally:
            store.close()
    typer.echo("applied " + ", ".join(applied) if applied else "nothing to do")


def purge(
    customer: Annotated[str, typer.Option("--customer", help="Empty the bodies of this customer's orders.")] = "",
    older_than: Annotated[
        int, typer.Option("--older-than", help="Empty the bodies and drop telemetry older than so many days.")
    ] = 0,
    address: Annotated[
        str, typer.Option("--address", help="End the subscriptions that go to this address, and keep it nowhere.")
    ] = "",
) -> None:
    """Empty messages as they arrived, for one person or by age, or forget a subscriber's address.

    Facts and the audit hold no such text and stay.
    """
    if [bool(customer), bool(older_than), bool(address)].count(True) != 1:
        raise Stop("say what to empty: --customer ID or --older-than DAYS or --address ADDRESS")
    settings = settings_now()
    with hold_folder(settings.data_dir), opened(settings) as (store, _):
        if address:
            count = forget_address(store, address, now())
            typer.echo(f"{count} facts of subscriptions name no address now")
            return
        if customer:
            seal = load_seal(settings, Secrets(os.environ, settings.secrets_dir))
            count = empty_customer(store, customer, seal)
        else:
            before = now() - timedelta(days=older_than)
            count = empty_older(store, before)
            drop_telemetry(store, before)
    typer.echo(f"{count} bodies are empty now")
