"""docs/api.md names every endpoint and every code of a refusal it promises, with an example."""

from __future__ import annotations

from pathlib import Path

from fastapi.routing import APIRoute

from rules.vocabulary import ACTION_ITEM_STATES
from tests.api.test_orders import KEYS
from tower.actions.template import TEMPLATE_FIELDS
from tower.api.app import ROUTERS
from tower.api.order_query import SORT_KEYS, OrderQuery

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_every_endpoint_has_a_heading_and_an_example() -> None:
    routes = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]
    assert len(routes) > 15
    for route in routes:
        for method in route.methods:
            heading = f"### `{method} {route.path.replace(':path', '')}`"
            assert heading in PAGE, heading
            assert "curl" in PAGE.split(heading)[1].split("###")[0]


def test_every_filter_sort_field_and_key_is_named() -> None:
    for name in (*OrderQuery.model_fields, *SORT_KEYS, *TEMPLATE_FIELDS):
        assert f"`{name}`" in PAGE, name
    for key in KEYS:
        assert f'"{key}"' in PAGE, key


def test_every_outcome_of_an_item_that_this_version_reaches_is_named() -> None:
    for state in set(ACTION_ITEM_STATES) - {"approved", "duplicated", "regressed"}:
        assert f"`{state}`" in PAGE, state
