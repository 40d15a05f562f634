"""Targets, error classes and policies of a book: what is read, and what an author is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.errors import RulebookError
from rules.model import Book, Breaker, Limit
from rules.parse import parse_book

BASE = (Path(__file__).parent / "base.yaml").read_text()
TARGET = '{kind: http, url: "http://127.0.0.1:9000"}'


def book(more: str = "", *, target: str = TARGET, act: str = "request: {path: /x}", proof: str = "delivered") -> Book:
    text = f"""
errors: [{{id: transport, text: [Timeout], status: [503]}}, {{id: data, text: ["tax code"]}}]
targets: {{there: {target}}}
actions:
  - {{id: act, kind: retry, stage: any, target: there, {act}, verify: {{milestone: {proof}, within: 1m}}{more}}}
"""
    return parse_book({"a.yaml": BASE, "b.yaml": text})


def test_a_target_is_read_with_its_gate() -> None:
    gate = "breaker: {failures: 3, open_for: 10s}, rate: 120/m, budget: {per_hour: 50, per_day: 500}, probe: /well"
    target = book(target=f'{{url: "https://x.example", {gate}}}').targets["there"]
    assert (target.breaker, target.probe) == (Breaker(3, 10, 900), "/well")
    assert target.limits == (Limit(120, 60), Limit(50, 3600), Limit(500, 86400))


def test_a_case_takes_what_it_does_not_say_from_its_policy() -> None:
    cases = "cases: [{error: data, attempts: 0}, {when: {order_type: rush}, backoff: fixed, first: 5s}]"
    policy = (
        book(f", policy: {{attempts: 4, jitter: 20%, give_up_after: 2d, automatic: true, {cases}}}").actions[-1].policy
    )
    never, rush = (case.policy for case in policy.cases)
    assert (never.attempts, never.automatic) == (0, False)
    assert (rush.attempts, rush.backoff, rush.first_s, rush.jitter, rush.give_up_s) == (4, "fixed", 5, 0.2, 172800)
    assert rush.automatic


@pytest.mark.parametrize(
    ("text", "status", "found"),
    [("gateway TIMEOUT", 0, "transport"), ("", 503, "transport"), ("Tax Code missing", 422, "data"), ("odd", 422, "")],
)
def test_an_error_belongs_to_the_first_class_that_matches(text: str, status: int, found: str) -> None:
    assert book().error_class(text, status) == found


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"target": '{url: "http://x:1", rate: fast}'}, "'fast' is no rate"),
        ({"target": '{url: "http://x:1", budget: {}}'}, "the budget is empty"),
        ({"target": '{url: "http://x:1", breaker: {open_for: 10m, longest: 1m}}'}, "longest is shorter than open_for"),
        ({"target": '{url: "http://x:1", probe: well}'}, "does not start with /"),
        ({"target": '{url: "amqp://x:1"}'}, "is no http or https address"),
        ({"target": '{kind: rabbitmq, url: "amqp://x:1"}'}, "needs redrive"),
        ({"act": "redrive: {queue: q}"}, "needs request"),
        ({"more": ", policy: {cases: [{attempts: 2}]}"}, "the case holds for everything"),
        ({"more": ", policy: {cases: [{error: dta}]}"}, "unknown error class 'dta'"),
        ({"more": ", policy: {attempts: 0}"}, "from 1 to 100"),
        ({"more": ", policy: {cases: [{error: data, attempts: 0, automatic: true}]}"}, "cannot be automatic"),
        ({"more": ", safety: R2, policy: {automatic: true}"}, "never automatic"),
        ({"more": ", policy: {automatic: true}", "proof": "payment_applied"}, "money documents are never automatic"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_an_author_is_told(more: dict[str, str], says: str) -> None:
    with pytest.raises(RulebookError) as told:
        book(**more)
    assert says in str(told.value)
