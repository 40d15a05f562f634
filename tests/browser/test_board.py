"""The board in a real browser: ids, not rows; exactly what was confirmed; one click, one attempt; what is said by hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Dashboards, until
from tests.dashboards.fake_api import OPEN, FakeTower

pytestmark = pytest.mark.browser


def board(page: Page, pages: Dashboards, query: str = "") -> Locator:
    """Open the board and return its table."""
    page.goto(f"{pages.url}/{query}")
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    return table


def ids(table: Locator) -> list[str]:
    """Return the ids of the rows drawn, from top to bottom."""
    rows = table.locator(".row").evaluate_all(
        "rows => rows.map(r => [Number(r.getAttribute('aria-rowindex')), r.dataset.id])"
    )
    return [order for _, order in sorted(rows)]


def row(table: Locator, order: str) -> Locator:
    return table.locator(f'.row[data-id="{order}"]')


def retryable(tower: FakeTower, n: int, value: int) -> list[str]:
    """Put n stuck orders that may be retried on top of the board."""
    names = [f"SO-{value}-{i}" for i in range(n)]
    for i, name in enumerate(names):
        tower.add(
            name,
            state="late",
            stage="ship-to-invoice",
            retryable=True,
            value_at_risk=value - i,
            amount=value - i,
            retries=0,
        )
    return names


def test_filters_live_in_the_address(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages, "?view=Failing&stage=Invoicing")
    expected = sum(r["state"] == "failing" and r["stage"] == "ship-to-invoice" for r in tower.rows.values())
    expect(table).to_have_attribute("aria-rowcount", str(expected + 1))
    page.get_by_role("radio", name="Late").or_(page.get_by_role("button", name="Late", exact=True)).first.click()
    expect(page).to_have_url(f"{pages.url}/?stage=Invoicing&view=Late")


def test_selection_and_scroll_survive_two_refreshes_by_id(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages)
    body = table.locator(".body")
    body.evaluate("e => e.scrollTop = 1500")
    expect(table.get_by_role("row").nth(1)).not_to_have_attribute("aria-rowindex", "2")  # drawn where it is now
    visible = ids(table)[9:14]
    picked = [visible[0], visible[2], visible[4]]
    for order in picked:
        row(table, order).get_by_role("checkbox").check()
    top = body.evaluate("e => e.scrollTop")
    before = ids(table)
    gone = [o for o in before if o not in picked][:3]
    for n in range(2):
        tower.clear(gone[n])
        tower.add(f"SO-NEW-{n}", state="late", value_at_risk=10**6, amount=10**6)
        expect(table.get_by_role("button", name=f"{n + 1} new, {n + 1} cleared – show")).to_be_visible()
    assert body.evaluate("e => e.scrollTop") == top
    assert ids(table) == before
    chosen = table.locator(".row.on").evaluate_all("rows => rows.map(r => r.dataset.id)")
    assert sorted(chosen) == sorted(picked)
    expect(row(table, gone[0])).to_contain_text("Cleared")
    expect(row(table, gone[0]).get_by_role("checkbox")).to_be_disabled()
    table.get_by_role("button", name="2 new, 2 cleared – show").click()
    expect(row(table, gone[0])).to_have_count(0)
    assert table.locator(".foot .sum").inner_text().startswith("3 selected")


def test_a_bulk_retry_sends_exactly_the_confirmed_ids(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    names = retryable(tower, 4, 9_000_001)
    tower.touch(names[3], retryable=False)
    table = board(page, pages)
    versions = {n: tower.rows[n]["version"] for n in names}
    for name in names:
        row(table, name).get_by_role("checkbox").check()
    sent = len(tower.requests)
    table.get_by_role("button", name="Retry 4").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row")).to_have_count(5)
    expect(dialog).to_contain_text("€27,000,000.00")  # the three that will be sent
    expect(dialog.get_by_role("row", name=names[3])).to_contain_text("refused")
    retryable(tower, 2, 9_900_001)  # the board moves on underneath
    expect(page.get_by_text("2 new, 0 cleared – show")).to_be_visible()
    assert len(tower.requests) == sent
    dialog.get_by_role("button", name="Retry 3 orders").click()
    toast = page.get_by_test_id("stToast").first.bounding_box()
    retry = table.locator("button.retry").first.bounding_box()
    assert toast and retry and toast["x"] + toast["width"] < retry["x"], "a toast may not lie on the column of Retry"
    expect(table.locator(".say")).to_contain_text("retry worked: the order moved")
    expect(row(table, names[0])).to_contain_text("Verified")
    assert [r["orders"] for r in tower.requests[sent:]] == [
        [{"order_id": n, "version": versions[n]} for n in names[:3]]
    ]


def test_every_click_makes_one_attempt_however_quick(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    """Twice on the same order, and on four orders faster than the tower answers."""
    twice, *names = retryable(tower, 5, 9_150_003)
    table = board(page, pages)
    sent = len(tower.requests)
    row(table, twice).get_by_role("button", name=f"Retry {twice}").dblclick()
    expect(row(table, twice)).to_contain_text("Verified")
    tower.slow_s = 0.4
    try:
        for name in names:
            row(table, name).get_by_role("button", name=f"Retry {name}").click()
        until(lambda: len(tower.requests) >= sent + 5, page)
    finally:
        tower.slow_s = 0.0
    for name in names:
        expect(row(table, name)).to_contain_text("Verified")
    assert [[o["order_id"] for o in r["orders"]] for r in tower.requests[sent:]] == [[n] for n in (twice, *names)]
    assert sum(i["order_id"] == twice for a in tower.actions for i in a["items"]) == 1


def test_a_retry_that_was_refused_or_had_no_effect_says_so(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    """Refused because the order has changed since it was seen; without effect on the board and on the order."""
    changed, name = retryable(tower, 2, 9_200_000)
    table = board(page, pages)
    expect(row(table, changed)).to_be_visible()
    tower.moving.add(changed)
    row(table, changed).get_by_role("button", name=f"Retry {changed}").click()
    expect(table.locator(".say")).to_contain_text("changed since you saw it")
    settle_s, tower.settle_s, tower.outcome = tower.settle_s, 3600, "no_effect"
    try:
        row(table, name).get_by_role("button", name=f"Retry {name}").click()
        expect(table.locator(".say")).to_contain_text("the tower sends it now")
        tower.settle_s = 0
        expect(row(table, name)).to_contain_text("no effect")
        expect(table.locator(".say")).to_contain_text("the order did not move in time")
    finally:
        tower.settle_s, tower.outcome = settle_s, "verified"
    row(table, name).get_by_role("link").click()
    expect(page).to_have_url(f"{pages.url}/order?id={name}")
    expect(page.get_by_role("table", name="Retries")).to_contain_text("Had no effect")


def test_the_keyboard_does_everything_the_mouse_does(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    names = retryable(tower, 3, 9_400_003)
    table = board(page, pages)
    expect(row(table, names[0])).to_be_visible()
    start = ids(table)
    at = start.index(names[0])
    page.get_by_role("heading", name="Stuck orders").click()  # between the tables, as one clicks to leave a field
    for key in ["j"] * (at + 2) + ["k"]:
        page.keyboard.press(key)
    expect(table.locator(".row.focus")).to_have_attribute("data-id", start[at])
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(table.locator(".foot .sum")).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(table.locator(".row.on")).to_have_count(0)
    page.keyboard.press("r")
    until(lambda: any(o["order_id"] == names[1] for r in tower.requests for o in r["orders"]), page)
    expect(table.locator(".say")).to_contain_text("retry worked: the order moved")
    page.keyboard.press("n")
    expect(row(table, names[1])).to_have_count(0)
    page.keyboard.press("Home")
    first = ids(table)[0]
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{pages.url}/order?id={first}")


def test_markup_from_outside_stays_text(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    bad = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    tower.add("SO-XSS", state="failing", customer_id=bad, error=bad, value_at_risk=10**8, amount=10**8)
    table = board(page, pages)
    expect(row(table, "SO-XSS")).to_contain_text("<img src=x")
    groups = page.get_by_role("grid", name="Stuck orders by error")
    page.get_by_role("tab", name="By error").click()
    expect(groups).to_contain_text("<img src=x")
    page.get_by_role("tab", name="Orders").click()
    row(table, "SO-XSS").get_by_role("link").click()
    expect(page.get_by_role("heading", name="SO-XSS")).to_be_visible()
    page.goto(f"{pages.url}/wall")
    expect(page.get_by_role("table", name="Worst orders")).to_contain_text("<img src=x")
    assert page.evaluate("window.hit") is None
    tower.clear("SO-XSS")


def test_a_group_leads_to_its_orders_and_is_retried_as_listed(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    for i in range(3):
        tower.add(
            f"SO-G{i}",
            state="failing",
            stage="ship-to-invoice",
            system="tax",
            error="Rate missing",
            retryable=True,
            value_at_risk=5_000_000,
            amount=5_000_000,
        )
    page.goto(f"{pages.url}/?tab=By+error")
    groups = page.get_by_role("grid", name="Stuck orders by error")
    line = groups.locator(".row", has_text="Rate missing")
    sent = len(tower.requests)
    line.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row")).to_have_count(4)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert len(tower.requests) == sent
    line.get_by_role("link").click()
    table = page.get_by_role("grid", name="Stuck orders", exact=True)
    expect(table).to_have_attribute("aria-rowcount", "4")
    assert sorted(ids(table)) == ["SO-G0", "SO-G1", "SO-G2"]


def test_of_many_rows_those_in_sight_are_drawn_and_shift_selects_a_range(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    table = board(page, pages, "?view=All+open")
    assert sum(r["state"] in OPEN for r in tower.rows.values()) > 300
    assert table.locator(".row").count() < 60
    shown = ids(table)
    row(table, shown[1]).get_by_role("checkbox").click()
    row(table, shown[5]).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(table.locator(".foot .sum")).to_contain_text("5 selected")


def test_an_order_is_held_with_a_reason_and_assigned_with_others(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    one, two = retryable(tower, 2, 9_600_000)
    page.goto(f"{pages.url}/order?id={one}")
    page.get_by_role("button", name="By hand…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Hold", exact=True).click()
    expect(dialog.get_by_text("Nobody retries it")).to_be_visible()
    dialog.get_by_role("button", name=f"Hold: {one}").click()
    expect(dialog.get_by_text("Say it in words first")).to_be_visible()
    dialog.get_by_label("Why").fill("customer calls back")
    dialog.get_by_role("button", name=f"Hold: {one}").click()
    expect(page.get_by_text("held by ana")).to_be_visible()
    expect(page.get_by_role("button", name="Retry now")).to_be_disabled()
    expect(page.get_by_role("table", name="Said by hand")).to_contain_text("ana holds it")
    table = board(page, pages)
    expect(row(table, one).get_by_role("button", name="Held")).to_be_disabled()
    for order in (one, two):
        row(table, order).get_by_role("checkbox").check()
    table.get_by_role("button", name="By hand…").click()
    page.get_by_role("dialog").get_by_role("button", name="Assign: 2 orders").click()
    until(lambda: {tower.rows[o]["assignee"] for o in (one, two)} == {"ana"}, page)
    assert ids(board(page, pages, "?whose=ana")) == [one, two]
    page.get_by_role("radio", name="Held").or_(page.get_by_role("button", name="Held", exact=True)).first.click()
    until(lambda: ids(table) == [one], page)


def test_another_repair_shows_its_request_and_its_proof_and_is_sent_once(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    (one,) = retryable(tower, 1, 9_600_010)
    page.goto(f"{pages.url}/order?id={one}")
    page.get_by_role("button", name="Other repairs…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Sent to erp. Proved when order cancelled is heard within")).to_be_visible()
    dialog.get_by_text("The exact request").click()
    expect(dialog.get_by_text("http://erp.example/cancel")).to_be_visible()
    dialog.get_by_label("Why").fill("the buyer called it off")
    dialog.get_by_role("button", name=f"Cancel {one}").click()
    until(lambda: [r["kind"] for r in tower.requests if r["orders"][0]["order_id"] == one] == ["cancel"], page)
    expect(page.get_by_role("status").get_by_text(f"{one}: cancel accepted")).to_be_visible()
