"""What else the rulebook offers for a stuck order: which acts, what proves them, how an answer reads."""

from __future__ import annotations

from dashboards.tower_ui import repairs
from dashboards.tower_ui.actions import Answer

ACTS = [
    {"id": "retry", "kind": "retry", "stage": "any", "target": "mw"},
    {"id": "cancel-any", "kind": "cancel", "stage": "any", "target": "erp"},
    {"id": "cancel-invoice", "kind": "cancel", "stage": "invoicing", "target": "billing"},
    {"id": "undo-pick", "kind": "compensate", "stage": "picking", "target": "wms"},
    {"id": "done", "kind": "mark_done", "stage": "any", "target": ""},
]


def test_an_act_of_the_stage_comes_before_one_for_any_and_retries_have_their_own_button() -> None:
    assert {k: a["id"] for k, a in repairs.offered(ACTS, "invoicing").items()} == {"cancel": "cancel-invoice"}
    assert {k: a["id"] for k, a in repairs.offered(ACTS, "picking").items()} == {
        "compensate": "undo-pick",
        "cancel": "cancel-any",
    }
    assert repairs.offered([], "picking") == {}


def test_what_proves_an_act_is_said_before_it_is_sent() -> None:
    act = {"target": "erp", "verify": {"milestone": "order_cancelled", "within_s": 300}}
    assert repairs.proof(act) == "Sent to erp. Proved when order cancelled is heard within 5m."
    assert repairs.proof({"target": "", "verify": {}}) == "Done by the tower itself."


def test_a_refusal_reads_as_the_tower_gave_it() -> None:
    refused = Answer("", {"SO-1": "not_retryable"}, {"SO-1": "the breaker of target erp is open"})
    assert repairs.message("cancel", refused) == "SO-1: cancel the breaker of target erp is open"
    assert repairs.message("cancel", Answer(error="No reason.")) == "Nothing was sent. No reason."
    assert "Look at the order" in repairs.message("cancel", Answer(error="Timeout.", certain=False))
