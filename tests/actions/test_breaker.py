"""When a target is left alone: the steps, and what counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.model import Breaker
from tests.actions.world import T0
from tower.actions.answer import Answer
from tower.actions.breaker import TargetState, heard, tried

RULE = Breaker(failures=3, open_s=30, longest_s=100)
OK = Answer("accepted", 200, "200 OK")
DOWN = Answer("unknown", 503, "503 down")
SILENT = Answer("unknown", 0, "no answer")
UNSENT = Answer("unsent", 0, "no connection", reached=False)


def after(*answers: Answer, known: TargetState | None = None) -> TargetState:
    state = known or TargetState("erp")
    for answer in answers:
        state = heard(state, RULE, answer, T0)
    return state


@pytest.mark.parametrize(
    ("answers", "state", "failures"),
    [
        ([DOWN, SILENT], "closed", 2),
        ([DOWN, DOWN, DOWN], "open", 3),
        ([DOWN, SILENT, Answer("refused", 401, "who are you")], "open", 3),
        ([DOWN, DOWN, OK, DOWN], "closed", 1),
        ([DOWN, DOWN, Answer("refused", 422, "tax code")], "closed", 0),
        ([DOWN, DOWN, Answer("unknown", 429, "later", 5)], "closed", 0),
        ([UNSENT] * 20, "closed", 0),
        ([DOWN, UNSENT, DOWN, UNSENT], "closed", 2),
    ],
    ids=["two", "three", "our key is refused", "a success between", "a refusal of one order works", "busy works",
         "what never left does not count", "nor does it clear"],
)  # fmt: skip
def test_failures_in_a_row_that_reached_the_target_open_it(answers: list[Answer], state: str, failures: int) -> None:
    known = after(*answers)
    assert (known.state, known.failures) == (state, failures)


def test_an_open_target_is_tried_with_one_call_and_waits_twice_as_long_each_time() -> None:
    known = after(DOWN, DOWN, DOWN)
    pauses = []
    for _ in range(4):
        assert known.retry_at is not None
        pauses.append((known.retry_at - T0).total_seconds())
        known = after(DOWN, known=tried(known, T0))
        assert known.state == "open"
    assert pauses == [30, 60, 100, 100]
    assert known.opened_at == T0
    closed = after(OK, known=tried(known, T0))
    assert (closed.state, closed.failures, closed.opens, closed.retry_at) == ("closed", 0, 0, None)


def test_a_call_from_before_does_not_close_it_and_no_connection_does_not_either() -> None:
    known = after(DOWN, DOWN, DOWN)
    assert after(OK, known=known).state == "open"
    assert after(UNSENT, known=tried(known, T0)).state == "open"


def test_a_target_that_cannot_be_reached_is_told_apart() -> None:
    known = heard(after(OK), RULE, UNSENT, T0 + timedelta(seconds=5))
    assert known.unreached_since == T0 + timedelta(seconds=5)
    assert after(UNSENT, known=known).unreached_since == T0 + timedelta(seconds=5)
    assert after(DOWN, known=known).unreached_since is None
