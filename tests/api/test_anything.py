"""Whatever is asked, the answer is an answer or a refusal, never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actions.world import clock_row
from tests.amount import SEEDS
from tests.api.conftest import Api, make_api
from tests.stores import Shelf

PATHS = ("/v1/orders", "/v1/breaches", "/v1/quarantine", "/v1/orphans", "/v1/actions", "/v1/audit")
NAMES = ("state", "stage", "system", "priority", "customer_id", "partner", "min_value", "q", "sort", "limit", "cursor",
         "rule", "kind", "order_id", "since", "reason", "actor", "subject", "verify", "object_type",
         "colour")  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["stuck", "late", "-value_at_risk", "due_at", "1", "-1", "1e30", "NaN", "Infinity",
                     "2026-11-23T10:00:00Z",
                     "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "{x:String}", "'; --", "\\", "%",
                     "true", "WyJhIl0"]),
    st.integers().map(str),
    st.decimals().map(str),
)  # fmt: skip


@pytest.fixture(scope="module")
def api(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for the whole module: nothing here changes anything."""
    with shelf.lend() as store:
        made = make_api(store, Path(tmp_path_factory.mktemp("data")))
        made.world.order("SO-1", clock_row())
        yield made


@settings(max_examples=60 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), query=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_no_query_is_a_crash(api: Api, path: str, query: dict[str, str]) -> None:
    reply = api.get(path, params=query)
    assert reply.status_code in (200, 400), reply.text
    if reply.status_code == 400:
        assert reply.headers["content-type"] == "application/problem+json"


@settings(max_examples=30 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "orders", "filter", "stage", "reason", "order_id", "version", "state"]),
                x,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_no_body_is_a_crash(api: Api, body: Any) -> None:
    reply = api.call("POST", "/v1/actions?dry_run=true", "operator", json=body, headers={"Idempotency-Key": "k"})
    assert reply.status_code in (202, 400), reply.text
