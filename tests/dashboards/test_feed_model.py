"""What the Feeds page says: the worst first, a sentence for each trouble, and how much quiet is used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.tower_ui import feed_model
from dashboards.tower_ui.feed_model import FeedView
from tests.dashboards.fake_feeds import feeds

NOW = datetime(2026, 11, 23, 10, 20, tzinfo=UTC)
FEEDS = feed_model.read_feeds(feeds(NOW))


def named(name: str) -> FeedView:
    return next(f for f in FEEDS if f.name == name)


def test_the_worst_comes_first_and_what_promises_nothing_last() -> None:
    assert [f.standing for f in FEEDS] == [
        "silent", "never_heard", "runs", "low", "gaps", "high", "ok", "ok", "ok", "ok", "free",
    ]  # fmt: skip
    assert feed_model.chosen(FEEDS, "") is FEEDS[0]
    assert feed_model.chosen(FEEDS, "tms-main") is named("tms-main")
    assert feed_model.chosen(FEEDS, "gone") is FEEDS[0]
    assert feed_model.chosen([], "x") is None


def test_each_trouble_has_a_sentence_and_what_is_fine_has_none() -> None:
    silent = named("wms-berlin")
    assert silent.todo(NOW).startswith("Silent for 1h 15m longer than it may be: see that wms-berlin runs")
    assert (silent.late, silent.mark, silent.tone, silent.scope) == (True, "▲", "bad", "warehouse BER1")
    assert (silent.unknown, silent.waiting, str(silent.value)) == (184, 212, "1284500.40")
    for feed in FEEDS:
        asks = feed.standing not in ("ok", "free") or feed.quarantined or feed.drift_text
        assert bool(feed.todo(NOW)) == bool(asks), feed.name
    shop = named("commerce-main")
    assert shop.todo(NOW) == "Its messages changed: 2 new fields, 1 unknown code."
    assert (shop.quota_text, silent.quota_text) == ("8,214 of 100,000", "")
    assert (shop.turned_away, silent.turned_away) == ("2 without a right signature", "")
    assert named("edi-gateway").ranges[0] == ("isa:ACME/US", "000104210", "000104211", 2)


@pytest.mark.parametrize(
    ("name", "share"), [("wms-berlin", 1.0), ("3pl-krakow", 1.0), ("tms-main", 700 / 900), ("crm-main", None)]
)
def test_freshness_is_the_share_of_quiet_that_is_used_up(name: str, share: float | None) -> None:
    found = named(name).freshness(NOW)
    assert found == pytest.approx(share) if share is not None else found is None
    assert named("tms-main").freshness(NOW + timedelta(hours=1)) == 1.0


def test_an_hour_is_unusual_only_when_it_is_over_and_something_was_expected() -> None:
    low = named("wms-hamburg")
    assert [h.tone for h in low.hours[-3:]] == ["good", "warn", "muted"]
    assert [r.tone for r in named("legacy-erp").runs[-10:]] == [
        "warn", "good", "good", "bad", "bad", "good", "good", "warn", "good", "good",
    ]  # fmt: skip


def test_an_odd_answer_is_read_as_far_as_it_goes() -> None:
    """Fields of later versions, missing ones, and rows that are none."""
    found = feed_model.read_feeds({"feeds": [{"connection": "x", "state": "late"}, 7, {"hours": [3], "runs": None}]})
    assert [(f.name, f.standing) for f in found] == [("x", "silent"), ("", "free")]
    assert found[0].freshness(NOW) == 1.0
    assert found[0].todo(NOW)
    assert feed_model.read_feeds({}) == []
