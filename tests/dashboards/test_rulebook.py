"""The Rulebook page: promises in words with how they go, versions, and a limit tried with a click."""

from __future__ import annotations

import pytest

from dashboards.tower_ui import rulebook_model
from tests.dashboards.conftest import VIEWER, forget, turn_to
from tests.dashboards.conftest import app as start
from tests.dashboards.fake_api import FakeTower
from tests.dashboards.test_pages import text

STAGE = {"id": "a", "label": "A", "from": "x_done", "to": "y_done", "within_s": 7200, "calendar": "finance"}
RULES = {
    "stages": [STAGE],
    "milestones": [{"milestone": "y_done", "authority": [{"kind": "erp"}, {"kind": "crm", "configured": False}]}],
}
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize(("stage", "words"), [
    (STAGE, "2h of finance time"),
    ({**STAGE, "calendar": None, "tiers": [{}]}, "2h, 1 tier"),
    ({"until": "promised_at", "plus_s": -14_400}, "until promised at less 4h"),
    ({"within_s": None}, "–"),
])  # fmt: skip
def test_limits_are_told_in_words(stage: dict[str, object], words: str) -> None:
    assert rulebook_model.limit_words(stage) == words


def test_promises_carry_their_figures_and_the_graph_their_owners() -> None:
    stages = {"stages": [{"id": "a", "running": 9, "late": 2, "failing": 1}]}
    curves = {"curves": [{"rule": "a", "segment": "P1 / x", "p95_s": 1}, {"rule": "a", "segment": "", "median_s": 900, "p95_s": 3600}]}  # fmt: skip
    (promise,) = rulebook_model.promises(RULES, stages, curves)
    assert (promise.owner, promise.late, promise.share) == ("erp", 3, 0.5)
    dot = rulebook_model.graph([promise], RULES, "#111111", "#222222", "#ff0000")
    assert '"x_done" -> "y_done" [label="2h of finance time\\n3 stuck" color="#ff0000" penwidth=2]' in dot
    assert '"y_done" [label="y done\\nerp"]' in dot


def test_owners_are_told_in_the_order_in_which_they_are_asked() -> None:
    milestone = {"milestone": "x_done", "object": "shipment", "means": "it left", "authority": [
        {"kind": "3pl", "when": [{"warehouse": "in HH2"}], "connections": ["hamburg"]}, {"kind": "wms", "when": [], "connections": []},
    ]}  # fmt: skip
    told = rulebook_model.owner_rows({"milestones": [milestone, {"milestone": "y"}]})
    assert told[0] == ["x done", "shipment", "it left", "3pl where warehouse in HH2, else wms", "hamburg"]
    assert told[1][3:] == ["anybody", "–"]


@pytest.mark.usefixtures("started")
def test_the_examples_of_the_book_are_run_with_a_click(tower: FakeTower) -> None:
    at = turn_to(start(), "rulebook").run()
    at.button(key="run_examples").click().run()
    assert not at.exception
    assert "1 of 2 examples hold" in text(at) and "expected late, found on_track" in text(at)


@pytest.mark.usefixtures("started")
def test_another_limit_is_tried_with_a_click(tower: FakeTower) -> None:
    at = turn_to(start(), "rulebook").run()
    assert not at.exception
    shown = text(at)
    assert "limit was within 4h, is within 2h" in shown and "in force" in shown
    at.text_input(key="bt_limit").set_value("1h")
    at.button[-1].click().run()
    assert not at.exception
    stage = at.selectbox(key="bt_stage").value
    assert tower.asked[-1]["new"] == {"limits": {stage: "1h"}} and tower.asked[-1]["since"] == "90d"
    assert "3 verdicts gained, 0 lost, 1 moved" in text(at) and "1200.00" in text(at) and "SO-100000" in text(at)


@pytest.mark.usefixtures("started")
def test_a_viewer_is_told_who_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", VIEWER)
    forget()
    at = turn_to(start(), "rulebook").run()
    assert "needs the role operator" in text(at) and not at.text_input


@pytest.mark.usefixtures("started")
def test_the_flow_map_of_the_past_says_so_and_leads_back(tower: FakeTower) -> None:
    at = start(as_of="2026-11-20T09:00:00Z")
    at = turn_to(at, "flow")
    at.query_params["as_of"] = "2026-11-20T09:00:00Z"
    at.run()
    assert not at.exception
    assert "not live" in text(at) and "Nothing can be retried here" in text(at)
    assert "2026-11-20T09:00:00+00:00" in [q["as_of"] for q in tower.looked if "as_of" in q]
    at.button(key="back_to_live").click().run()
    assert not at.exception and "not live" not in text(at)
