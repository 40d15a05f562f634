"""A difference between two books is told in words that a business owner would use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rules.diff import diff, duration
from rules.parse import SHIPPED, load_book
from tests.backtest.conftest import book

TODAY = datetime(2026, 3, 30, 12, tzinfo=UTC)
SAID = [
    ((("    within: 3h\n", "    within: 5h\n"),), ["stage invoice: limit was within 3h, is within 5h"]),
    ((("plus: 4h, ", ""),), ["stage deliver: limit was until promised_at plus 4h, is until promised_at"]),
    ((("authority: wms}", "authority: erp}"),), [
        f"milestone {name}: authority was wms, is erp" for name in ("stock_held", "stock_released")
    ]),
    ((("id: pay,", "id: paid,"),), [
        "stage pay is removed: from invoice_released to payment_applied within 1d6h, per invoice",
        "stage paid is new: from invoice_released to payment_applied within 1d6h, per invoice",
    ]),
    ((('closed: ["2026-03-27"]', 'closed: ["2026-03-30"]'),), [
        "calendar office: open time of days (UTC) is changed: 2026-03-27 0s to 8h, 2026-03-30 8h to 0s"
    ]),
    ((('amount: ">= 1000"', 'amount: ">= 400"'),), [
        "priority P1: when was amount >= 1000, or customer_tier is gold and order_type is bulk, "
        "is amount >= 400, or customer_tier is gold and order_type is bulk"
    ]),
    ((("quiet_after: 10d", "quiet_after: 90m"),), ["feed wms: quiet after was 10d, is 1h30m"]),
    ((('rate: "0.8"', 'rate: "0.7"'),), [
        "value: rates was USD at 0.9 since 2026-01-01, USD at 0.8 since 2026-03-28, "
        "is USD at 0.9 since 2026-01-01, USD at 0.7 since 2026-03-28"
    ]),
    ((("cancelled: [order_cancelled]", "cancelled: []"),), ["process: cancelled was order_cancelled, is none"]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "wanted"), SAID)
def test_each_change_is_one_sentence(changes: tuple[tuple[str, str], ...], wanted: list[str]) -> None:
    assert [d.text for d in diff(book(), book(*changes), TODAY)] == wanted


def test_the_same_book_in_other_words_differs_in_nothing() -> None:
    assert diff(book(), book(("process:", "# a remark\nprocess:")), TODAY) == []
    shipped = load_book(SHIPPED)
    assert diff(shipped, shipped, TODAY) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "none"), (0, "0s"), (90, "1m30s"), (-7200, "-2h"), (93_600, "1d2h")]
)
def test_durations_are_told_as_they_are_written(seconds: int | None, text: str) -> None:
    assert duration(seconds) == text
