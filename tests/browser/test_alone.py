"""What a screen shows when the tower, or the pages' own process, is gone: old data are never taken for news."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboards, context_of, start_dashboards
from tests.browser.test_board import board, ids
from tests.dashboards.fake_api import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hasty(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """Pages that give up their data after seconds instead of half a minute."""
    log = tmp_path_factory.mktemp("hasty") / "log"
    started = start_dashboards(served.url, log, program="tests.browser.impatient", TOWER_DASH_REFRESH_S="2")
    yield started
    if started.process.poll() is None:
        started.stop()


def test_the_tower_goes_and_comes_back(page: Page, hasty: Dashboards, served: Served) -> None:
    table = board(page, hasty)
    before = ids(table)
    served.stop()
    try:
        expect(page.get_by_text("No news from the tower")).to_be_visible()
        assert ids(table)[:5] == before[:5]
        expect(page.get_by_text("NO DATA SINCE")).to_be_visible()
        expect(table.get_by_role("button", name="Retry SO-").first).to_be_disabled()
    finally:
        served.start()
    expect(page.get_by_text("No news from the tower")).to_have_count(0)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(table.locator("button.retry:enabled").first).to_be_visible()


def test_the_wall_can_be_read_and_turns_red_when_it_is_alone(chromium: Browser, hasty: Dashboards) -> None:
    context = context_of(chromium, viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    try:
        page.goto(f"{hasty.url}/wall")
        expect(page.get_by_role("table", name="Worst orders").get_by_role("row")).to_have_count(8)
        sizes = page.locator(".w-big, .w-mid, .w-table td").evaluate_all(
            "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 33
        assert sizes.count(92) == 4
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080
        bottom = page.locator(".w-table").bounding_box()
        assert bottom is not None
        assert bottom["y"] + bottom["height"] <= 1080
        expect(page.get_by_role("link", name="Flow map")).to_have_count(0)
        hasty.stop()  # not even the pages' own process is left
        expect(page.get_by_text("NO DATA SINCE")).to_be_visible()
    finally:
        context.close()
