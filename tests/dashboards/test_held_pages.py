"""Quarantine and Orphans as pages: what stands there, what each click sends, and what a viewer is not offered."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.tower_ui import shared, shell
from dashboards.views import quarantine
from tests.dashboards.conftest import VIEWER, app, forget, turn_to
from tests.dashboards.fake_api import FakeTower, Served
from tests.dashboards.test_pages import text

pytestmark = [
    pytest.mark.usefixtures("started"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def open_page(name: str, **query: str) -> AppTest:
    at = turn_to(app(), name)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def test_groups_come_first_with_what_to_do() -> None:
    shown = text(open_page("quarantine"))
    assert "Held 25 messages that could not be used" in shown
    assert shown.index("Its mapping failed") < shown.index("The rulebook has no such milestone")
    assert "Mend the mapping at the place it names; look with a dry run, replay." in shown


def test_a_group_offers_acts_on_exactly_its_listed_messages(tower: FakeTower) -> None:
    at = open_page("quarantine", reason="mapping_failed", connection="shop-eu")
    ids = tuple(r["id"] for r in tower.held.open(reason="mapping_failed"))
    assert at.button(key="replay-group").label == "Replay 17 messages…"
    at.button(key="replay-group").click().run()
    assert not at.exception
    assert tower.held.done == [], "nothing is sent before the second click"
    tower.held.mended |= set(ids[:16])
    act = quarantine.Act("replay", ids, "", "click-1")
    _run(at, act, "the mapping was mended")
    assert tower.held.done == [("ana", "replay", ids, "the mapping was mended")]
    _run(at, act, "again")
    assert len(tower.held.done) == 1, "a click that is delivered twice acts once"


def _run(at: AppTest, act: quarantine.Act, why: str) -> None:
    """Do what the second click of a dialog does; AppTest opens none."""

    def page_of_test(kind: str, ids: tuple[str, ...], click: str, why: str) -> None:
        from dashboards.views import quarantine as view

        view._do(view.Act(kind, ids, "", click), why)

    again = AppTest.from_function(page_of_test, args=(act.kind, act.ids, act.click, why), default_timeout=30)
    again.session_state["watch"] = at.session_state["watch"]
    again.context = {"timezone": "Europe/Berlin", "locale": "en-GB", "theme": "dark", "url": "http://dash.example/"}
    again.run()
    assert not again.exception


def test_another_try_is_not_offered_where_it_cannot_help() -> None:
    at = open_page("quarantine", reason="conflict", connection="erp-main")
    assert at.button(key="replay-group").disabled
    assert not at.button(key="discard-group").disabled


def test_a_message_is_shown_with_its_detail_first_and_its_body_covered(tower: FakeTower) -> None:
    held_id = tower.held.open(reason="mapping_failed")[0]["id"]
    at = open_page("quarantine", id=held_id)
    shown = text(at)
    assert shown.index("is no number") < shown.index("As it arrived")
    assert '"email": "•••"' in at.code[0].value and "820982911946154508" in at.code[0].value
    at.toggle(key=f"persons-{held_id}").set_value(True).run()
    assert "ann@example.com" in at.code[0].value
    assert tower.held.looks == [("ana", held_id)]


def test_a_dry_run_shows_what_it_would_become_and_sends_nothing(tower: FakeTower) -> None:
    held_id = tower.held.open(reason="mapping_failed")[0]["id"]
    at = open_page("quarantine", id=held_id)
    at.button(key="dry_run").click().run()
    assert "Its mapping failed order.yaml" in text(at)
    tower.held.mended.add("mapping_failed")
    at.button(key="dry_run").click().run()
    assert "shopify.order@2:11aa22bb order_captured" in text(at)
    assert tower.held.done == []


def test_one_message_is_replayed_and_says_so(tower: FakeTower) -> None:
    tower.held.mended.add("mapping_failed")
    held_id = tower.held.open(reason="mapping_failed")[3]["id"]
    at = open_page("quarantine", id=held_id)
    at.button(key="replay").click().run()
    assert tower.held.done == [("ana", "replay", (held_id,), "")]
    shown = text(at)
    assert "1 taken" in shown and "It was replayed." in shown
    assert at.button(key="replay").disabled


def test_a_message_is_let_go_only_with_a_reason(tower: FakeTower) -> None:
    held_id = tower.held.open()[0]["id"]
    at = open_page("quarantine", id=held_id)
    at.button(key="discard").click().run()
    assert tower.held.done == [] and "Say why it may go" in text(at)
    at.text_input(key="why_one").set_value("a test of theirs").run()
    at.button(key="discard").click().run()
    assert tower.held.done == [("ana", "discard", (held_id,), "a test of theirs")]
    assert "It was discarded. a test of theirs" in text(at)


def test_a_viewer_may_look_and_not_act(monkeypatch: pytest.MonkeyPatch, tower: FakeTower) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", VIEWER)
    forget()
    held_id = tower.held.open()[0]["id"]
    at = open_page("quarantine", id=held_id)
    assert all(at.button(key=k).disabled for k in ("dry_run", "replay", "discard"))
    assert at.toggle(key=f"persons-{held_id}").disabled
    at = open_page("quarantine", reason="mapping_failed", connection="shop-eu")
    assert at.button(key="replay-group").disabled and at.button(key="discard-group").disabled
    at = open_page("orphans", object="payment:remittance_no:BANK/PAY-88121")
    assert at.button(key="tie").disabled


def test_nothing_held_and_nothing_lost_is_said(tower: FakeTower) -> None:
    tower.held.rows.clear()
    tower.held.orphans.clear()
    assert "Nothing is held" in text(open_page("quarantine"))
    assert "Nothing is lost" in text(open_page("orphans"))
    assert "There is no such message" in text(open_page("quarantine", id="17"))


def test_a_tower_that_is_down_is_said_plainly_on_each(started: Served) -> None:
    started.stop()
    for name, query in (("feeds", {}), ("quarantine", {}), ("quarantine", {"id": "1"}), ("orphans", {})):
        forget()
        shown = text(open_page(name, **query))
        assert "has not answered" in shown, (name, shown)


def test_what_comes_from_outside_is_text(tower: FakeTower) -> None:
    bad = "<img src=x onerror=alert(1)>"
    tower.held.rows.clear()
    held_id = tower.held.hold("mapping_failed", "shop-eu", detail=bad, type=bad, raw=bad)
    tower.held.orphans[0].update(number=bad, sources=[bad])
    for at in (open_page("quarantine"), open_page("quarantine", id=held_id), open_page("orphans")):
        raw = " ".join(str(e.proto.body) for e in at.get("html"))
        assert "<img" not in raw and "&lt;img" in raw


def test_orphans_are_listed_most_valuable_first_and_filtered_by_the_address() -> None:
    shown = text(open_page("orphans"))
    assert shown.index("PAY-88121") < shown.index("PO 4711") < shown.index("INV-99120")
    assert "Worth €27.7k" in shown
    only = text(open_page("orphans", find="1Z999"))
    assert "1Z999AA10123456784" in only and "PAY-88121" not in only
    assert "No orphan matches" in text(open_page("orphans", find="nothing like it"))


def test_a_shared_number_is_settled_by_saying_which_one_it_is(tower: FakeTower) -> None:
    at = open_page("orphans", object="order:customer_po:C-42/PO 4711")
    assert at.button(key="is-1").label == "It is SO-100007"
    at.button(key="is-1").click().run()
    assert tower.held.links == [] and "Say first why" in text(at)
    at.text_input(key="why_link").set_value("the customer says so").run()
    at.button(key="is-1").click().run()
    assert tower.held.links == [
        {"from": "order:customer_po:C-42/PO 4711", "to": "order:SO-100007", "relation": "alias", "reason": "the customer says so"}
    ]  # fmt: skip
    assert "is no orphan any more" in text(at)


def test_an_orphan_is_tied_by_hand_and_a_refusal_is_told(tower: FakeTower) -> None:
    at = open_page("orphans", object="payment:remittance_no:BANK/PAY-88121")
    at.text_input(key="why_link").set_value("remittance letter").run()
    at.button(key="tie").click().run()
    assert "Name what it belongs to" in text(at)
    at.text_input(key="to_id").set_value("SO-NONE").run()
    at.button(key="tie").click().run()
    assert "Not tied. no order of that name was heard of" in text(at)
    at.selectbox(key="to_kind").set_value("invoice").run()
    at.text_input(key="to_id").set_value(" INV-7 ").run()
    at.button(key="tie").click().run()
    assert tower.held.links == [
        {"from": "payment:remittance_no:BANK/PAY-88121", "to": "invoice:INV-7", "reason": "remittance letter"}
    ]


def test_every_page_starts_from_the_dark_shell() -> None:
    at = app().run()
    paths = {str(info.get("url_pathname") or "") for info in at._registered_pages.values()}
    assert {f"/{path}" for path in paths} == set(shell.PAGES)
    assert shared.api() is not None
