"""The colleague of the demo retries a fixed half of what has been stuck for a while, once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tower.demo.shift import SHARE, Shift, lot, wants


def row(order_id: str, **more: Any) -> dict[str, Any]:
    """Return a row of the board, stuck for a minute."""
    return {"order_id": order_id, "version": "v1", "stage": "ship-to-invoice", "state": "late", "age_s": 90,
            "overdue_s": 60, "retryable": True, "retries": 0, **more}  # fmt: skip


def test_it_takes_half_by_lot_and_only_what_is_due_to_be_retried() -> None:
    names = [f"SO-{n}" for n in range(3000)]
    own = [n for n in names if lot(n)]
    assert 0.9 < len(own) * SHARE / len(names) < 1.1
    assert wants(row(own[0]))
    for unwanted in ({"retryable": False}, {"retries": 1}, {"overdue_s": 3}, {"state": "failing", "age_s": 3}):
        assert not wants(row(own[0], **unwanted))


def test_a_retry_is_asked_for_under_a_key_that_makes_repeats_harmless() -> None:
    own = next(f"SO-{n}" for n in range(100) if lot(f"SO-{n}"))
    other = next(f"SO-{n}" for n in range(100) if not lot(f"SO-{n}"))
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"orders": [row(own), row(other)]})

    async def look() -> int:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://tower") as client:
            return await Shift(client).look()

    assert asyncio.run(look()) == 1
    assert [(r.method, r.url.path) for r in asked] == [("GET", "/v1/orders"), ("POST", "/v1/actions")]
    assert asked[1].headers["Idempotency-Key"] == f"shift-{own}-ship-to-invoice"
