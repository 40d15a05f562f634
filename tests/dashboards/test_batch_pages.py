"""Actions and Audit as pages: what stands there, which step each person is offered, what a click sends."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.tower_ui import batch_model
from dashboards.tower_ui.client import Viewer
from tests.dashboards.conftest import forget
from tests.dashboards.fake_api import FakeTower
from tests.dashboards.test_held_pages import open_page
from tests.dashboards.test_pages import text

pytestmark = [
    pytest.mark.usefixtures("started"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def batches(tower: FakeTower) -> None:
    """One batch of each state."""
    tower.batches.fill()


def test_batches_are_listed_with_what_holds_them_up() -> None:
    shown = text(open_page("actions"))
    assert "17 verified, 6 being proved, 3 on the wire, 390 waiting" in shown
    assert "engine: wave 2: 2 no_effect of 5, so fewer than 80% can be verified" in shown
    only = text(open_page("actions", state="Stopped"))
    assert "carrier labels" in only and "tax service is back" not in only


def test_a_step_needs_a_reason_and_is_taken_once(tower: FakeTower) -> None:
    at = open_page("actions", id="b-stop")
    shown = text(at)
    assert "each waits until 80% of the one before are verified" in shown
    assert shown.index("SHP-4") < shown.index("SHP-1"), "what ended badly comes first"
    at.button(key="step-resume").click().run()
    assert "Say first why" in text(at)
    assert tower.batches.steps == []
    at.text_input(key="why_step").input("the carrier is back").run()
    at.button(key="step-resume").click().run()
    assert not at.exception
    assert tower.batches.steps == [("ana", "b-stop", "resume", "the carrier is back")]
    assert "25 items released." in text(at)


@pytest.mark.parametrize(
    ("name", "role", "state", "offered"),
    [
        ("paul", "approver", "requested", ("approve", "cancel")),
        ("otto", "approver", "requested", ("cancel",)),
        ("ana", "operator", "requested", ("cancel",)),
        ("ana", "operator", "running", ("pause", "cancel")),
        ("vic", "viewer", "running", ()),
        ("otto", "admin", "requested", ("cancel",)),
        ("ana", "operator", "done", ()),
    ],
)
def test_each_is_offered_what_they_may_do(name: str, role: str, state: str, offered: tuple[str, ...]) -> None:
    batch = batch_model.read_batch({"state": state, "requested_by": "otto"})
    assert batch.steps_for(Viewer(name, frozenset({role}), "k")) == offered


def test_who_asked_is_told_that_somebody_else_has_to_approve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", "key-otto-approver")
    forget()
    assert "somebody else has to approve it" in text(open_page("actions", id="b-wait"))


def test_the_audit_is_filtered_by_the_address_and_checked_on_demand(tower: FakeTower) -> None:
    at = open_page("audit")
    shown = text(at)
    assert "&lt;b&gt;=1+1&lt;/b&gt;" in shown and "looks fine" in shown
    assert "chain" not in shown.replace("Check the chain", "")
    at.button(key="verify").click().run()
    assert "The chain is whole" in text(at)
    tower.batches.broken = 2
    at.button(key="verify").click().run()
    assert "The chain is broken at row 2." in text(at)
    assert "looks fine" not in text(open_page("audit", act="retry"))


def test_a_bar_says_in_words_what_it_shows() -> None:
    bar = batch_model.bar({"total": 4, "verified": 1, "waiting": 3})
    assert 'aria-label="1 verified, 3 waiting"' in bar and "width:25.000%" in bar
    assert 'aria-label="nothing"' in batch_model.bar({})


def test_nothing_says_what_will_stand_there(tower: FakeTower) -> None:
    tower.batches.rows.clear()
    assert "Nothing was asked for yet" in text(open_page("actions"))
    assert "There is no such action" in text(open_page("actions", id="none"))
    assert isinstance(open_page("audit", act="nothing"), AppTest)


def test_a_key_that_may_not_see_the_rulebook_sees_its_orders(tower: FakeTower) -> None:
    tower.closed = {"/v1/rules"}
    shown = text(open_page(""))
    assert "may not see" not in shown and "Failing" in shown


def test_an_executive_is_led_from_the_orders_to_the_figures(tower: FakeTower, monkeypatch: pytest.MonkeyPatch) -> None:
    tower.closed = {"/v1/orders"}
    monkeypatch.setenv("TOWER_DASH_KEY", "key-erna-executive")
    forget()
    shown = text(open_page(""))
    assert "This key may not see this page." in shown and "figures" in shown
