"""A partner's key sees its partner's orders and its own messages, and nothing says that there is more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.actions.world import T0, clock_row
from tests.api.conftest import CONNECTIONS, Api
from tests.api.test_door import is_problem
from tower.model.connections import Connection, Connections
from tower.model.principal import Principal
from tower.model.scope import Scope, scope_of
from tower.store.keys import Keys

PARTNERS = Connections(
    (
        *CONNECTIONS.entries,
        Connection("acme-edi", "edi", "/edi/acme", partner="ACME"),
        Connection("acme-portal", "portal", "/portal/acme", partner="ACME"),
        Connection("dhl", "tms", "/tms/dhl", partner="DHL"),
    ),
    configured=True,
)


@pytest.fixture(scope="module")
def partners(one_api: Api) -> Api:
    """Three late orders, of ACME, of DHL and of nobody, and keys of ACME's."""
    api = one_api
    api.app.state.context = replace(api.context, connections=PARTNERS)
    keys = Keys(api.world.store)
    for name, connections in (("acme", ("acme-edi", "acme-portal")), ("mixed", ("acme-edi", "one"))):
        api.tokens[name] = keys.add(name, ["viewer"], connections)
    api.tokens["acme-operator"] = keys.add("acme-operator", ["operator"], ("acme-edi",))
    due = T0 + timedelta(hours=1)
    api.world.orders(
        [
            (order, [clock_row(verdict="late", object_id=order, due_at=due)], {"partner": partner})
            for order, partner in (("SO-A", "ACME"), ("SO-D", "DHL"), ("SO-N", ""))
        ]
    )
    return api


def test_a_partner_sees_its_orders_only(partners: Api) -> None:
    seen = {
        role: {o["order_id"] for o in partners.get("/v1/orders", role).json()["orders"]} for role in ("acme", "viewer")
    }
    assert seen == {"acme": {"SO-A"}, "viewer": {"SO-A", "SO-D", "SO-N"}}
    assert partners.get("/v1/orders?partner=DHL", "acme").json()["total"] == 0
    assert partners.get("/v1/orders", "acme").json()["total"] == 1
    assert partners.get("/v1/orders/SO-A", "acme").status_code == 200
    for path in ("/v1/orders/SO-D", "/v1/orders/SO-N", "/v1/orders/SO-D/why", "/v1/orders/nothing"):
        is_problem(partners.get(path, "acme"), 404, "not_found")


def test_what_is_not_of_a_partner_is_closed_to_it(partners: Api) -> None:
    for path in ("/v1/stages", "/v1/groups", "/v1/breaches", "/v1/audit", "/v1/rules", "/v1/targets",
                 "/v1/orphans", "/v1/drift", "/v1/quarantine/groups", "/metrics"):  # fmt: skip
        is_problem(partners.get(path, "acme"), 403, "partner_scope")
        assert partners.get(path, "viewer").status_code == 200
    assert partners.get("/v1/me", "acme").json()["connections"] == ["acme-edi", "acme-portal"]


def test_a_partner_sees_its_connections_only(partners: Api) -> None:
    feeds = partners.get("/v1/feeds", "acme").json()
    assert {f["connection"] for f in feeds["feeds"]} == {"acme-edi", "acme-portal"}
    assert len(partners.get("/v1/feeds", "viewer").json()["feeds"]) == 6
    with partners.world.store.writer() as client:
        for name in ("acme-edi", "dhl"):
            client.command(f"INSERT INTO raw (raw_id, connection) VALUES ('r-{name}', '{name}')")
            client.command(
                f"INSERT INTO quarantine (quarantine_id, connection, reason) VALUES ({len(name)}, '{name}', 'x')"
            )
    for path, key in (("/v1/raw", "raw"), ("/v1/quarantine", "quarantine")):
        assert [r["connection"] for r in partners.get(path, "acme").json()[key]] == ["acme-edi"]
        assert partners.get(f"{path}?connection=dhl", "acme").json()[key] == []
        assert len(partners.get(path, "viewer").json()[key]) == 2


@pytest.mark.parametrize(
    ("roles", "connections", "scope"),
    [
        (("viewer",), ("acme-edi",), Scope(frozenset({"ACME"}), frozenset({"acme-edi"}))),
        ((), ("acme-edi", "dhl"), Scope(frozenset({"ACME", "DHL"}), frozenset({"acme-edi", "dhl"}))),
        (("viewer",), (), None),
        (("viewer",), ("*",), None),
        (("viewer",), ("acme-edi", "one"), None),
        (("viewer",), ("acme-edi", "gone"), None),
        (("operator",), ("acme-edi",), None),
        (("admin",), ("acme-edi",), None),
    ],
)
def test_whose_key_it_is(roles: tuple[str, ...], connections: tuple[str, ...], scope: Scope | None) -> None:
    assert scope_of(Principal("x", frozenset(roles), frozenset(connections)), PARTNERS) == scope
