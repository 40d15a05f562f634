"""Connections of the native door with their secrets, as a connections file would give them."""

from __future__ import annotations

from tests.collector.verify.signing import rule
from tower.model.connection import Connection, Limits, Verify
from tower.model.connections import Connections
from tower.model.schemes import SCHEMES
from tower.model.secret import Secrets

SECRET = "shop-secret"
SECRETS = Secrets({"TOWER_SECRET_A": SECRET, "TOWER_SECRET_OLD": "old-secret", "TOWER_SECRET_USER": "user:password"})


def proof(scheme: str, reference: str = "env:TOWER_SECRET_A", **options: str) -> Verify:
    """Return a rule whose secrets are references."""
    made = rule(scheme, **options)
    secrets = (reference, "env:TOWER_SECRET_OLD") if reference == "env:TOWER_SECRET_A" else (reference,)
    return Verify(scheme, secrets if SCHEMES[scheme].secrets else (), made.options, made.expect)


def system(name: str, verify: Verify, kind: str = "commerce", **more: object) -> Connection:
    """Return one connection."""
    return Connection(name, kind, f"/{kind}/{name}", verify=verify, **more)  # type: ignore[arg-type]  # names are Connection's own


NATIVE = Connections(
    (
        system("shop", proof("shopify", shop="eu.myshopify.example")),
        system("pay", proof("stripe"), "psp"),
        system("grid", proof("query_secret"), "erp"),
        system("crm", proof("basic", "env:TOWER_SECRET_USER"), "crm"),
        system("plain", Verify(), "wms"),
        system("slow", proof("bearer"), "wms", limits=Limits(per_second=2)),
        system("few", proof("bearer"), "wms", limits=Limits(per_day=3)),
        system(
            "strict", proof("bearer"), "wms", origins=frozenset({"eventgrid.azure.net"}), limits=Limits(per_second=5)
        ),
    ),
    configured=True,
)
