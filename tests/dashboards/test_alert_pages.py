"""The Alerts page: business order, what each click sends, and what a viewer is not offered."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboards.conftest import VIEWER, app, forget, turn_to
from tests.dashboards.fake_api import FakeTower
from tests.dashboards.test_pages import text

pytestmark = [
    pytest.mark.usefixtures("started"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def open_page(**query: str) -> AppTest:
    at = turn_to(app(), "alerts")
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def test_causes_come_first_and_each_line_says_what_comes_next() -> None:
    shown = text(open_page())
    assert shown.index("Late feed: wms-berlin") < shown.index("waiting for ERP")
    assert "further breaches, first told" in shown and "reminder in 1h 59m" in shown
    assert "The receiver pager hears nothing by webhook any more." in shown


def test_closed_alerts_and_the_scorecard_have_their_tabs() -> None:
    assert "Went away" in text(open_page(show="closed"))
    shown = text(open_page(show="scorecard"))
    assert "75 %" in shown and "1d 02h" in shown


def test_an_alert_shows_its_orders_and_is_taken_on_with_a_note(tower: FakeTower) -> None:
    at = open_page(id="late")
    shown = text(at)
    assert "silenced (s1)" in shown and "tax code &lt;missing&gt;" in shown and "sent, 2 tries" in shown
    at.text_input(key="note-late").set_value("calling the warehouse").run()
    at.button(key="take").click().run()
    assert not at.exception
    assert tower.alerts.done == [("ana", "ack", {"acknowledged": True, "note": "calling the warehouse"})]
    assert at.button(key="take").label == "Give it back" and "calling the warehouse" in text(at)


def test_a_viewer_may_look_and_not_act(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", VIEWER)
    forget()
    at = open_page(id="late")
    assert at.button(key="take").disabled and at.button(key="silence").disabled


def test_an_alert_that_is_unknown_is_said_so() -> None:
    assert "There is no such alert." in text(open_page(id="nothing"))
