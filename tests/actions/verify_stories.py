"""What a retry did to the business: moved it, did nothing, did it twice, or broke something else.

The stories below are told in tests/actions/test_runner.py, side by side with those of the sends; see tests/actions/stories.py.
Each order has two invoices under its shipment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.actions.stories import Case, Steps, Story
from tests.actions.target_stub import Reply
from tests.actions.world import T0

STORIES: dict[str, Story] = {}
ONCE = {"once": ("invoice_released",)}  # one invoice per shipment is promised


def story(told: Story) -> Story:
    STORIES[told.__name__.replace("_", " ")] = told
    return told


@story
def two_invoices_for_one_shipment_are_duplicated_also_when_the_second_comes_later(case: Case) -> Steps:
    yield from case.retry(**ONCE)
    yield from case.says("invoice_released", case.invoice(1))
    assert case.item.state == "verified"
    yield from case.says("invoice_released", case.invoice(2))
    assert case.item.state == "duplicated"
    assert f"{case.invoice(1)[1]}, {case.invoice(2)[1]}" in case.item.detail
    assert case.acts[-2:] == [("engine", "verified"), ("engine", "duplicated")]


def no_second(invoice: int, **more: Any) -> Story:
    def told(case: Case) -> Steps:
        yield from case.retry(**ONCE)
        yield from case.says("invoice_released", case.invoice(1))
        yield from case.says("invoice_released", case.invoice(invoice), **more)
        assert case.item.state == "verified"

    return told


STORIES |= {
    "no second invoice: the same one said again": no_second(1),
    "no second invoice: an echo": no_second(2, kind="crm"),
    "no second invoice: one that failed": no_second(2, polarity="failed"),
}


@story
def two_that_stood_before_are_not_the_retry_s_doing_and_one_taken_back_does_not_count(case: Case) -> Steps:
    yield from case.says("invoice_released", case.invoice(1))
    yield from case.says("invoice_released", case.invoice(2))
    yield from case.retry(**ONCE)
    yield from case.says("order_captured", ("order", case.order), kind="crm")  # so that the facts are looked at
    assert case.item.state == "accepted"
    yield from case.says("invoice_released", case.invoice(1), polarity="reversed")
    case.link(case.invoice(3), case.shipment)
    yield from case.says("invoice_released", case.invoice(2), polarity="reversed")
    yield from case.says("invoice_released", case.invoice(3))
    assert case.item.state == "verified"


def kept(state: str, *, polarity: str = "failed", before: bool = True, **contract: Any) -> Story:
    """The shipment was confirmed before the retry, or not, and is not any more after it."""

    def told(case: Case) -> Steps:
        if before:
            yield from case.says("shipment_confirmed", case.shipment, kind="wms")
        yield from case.retry(**contract)
        yield from case.says("shipment_confirmed", case.shipment, kind="wms", polarity=polarity)
        assert case.item.state == state
        assert state == "accepted" or f"shipment_confirmed {polarity}" in case.item.detail

    return told


STORIES |= {
    "what was reached before and is reversed is a regression": kept("regressed", polarity="reversed"),
    "what was reached before and fails is a regression": kept("regressed", **ONCE),
    "a contract that keeps another does not mind": kept("accepted", keep=("order_captured",)),
    "a contract that keeps this minds": kept("regressed", keep=("shipment_confirmed",)),
    "what had not been reached cannot be taken back": kept("accepted", before=False),
}


@story
def another_system_s_word_can_be_asked_for(case: Case) -> Steps:
    yield from case.retry(system="crm")
    yield from case.says("invoice_released", case.invoice(1))
    assert case.item.state == "accepted"
    yield from case.says("invoice_released", case.invoice(1), kind="crm")
    assert case.item.state == "verified"


@story
def an_answer_that_never_came_does_not_hide_that_the_business_moved(case: Case) -> Steps:
    """The send is not repeated: the milestone says that it has worked."""
    case.answers(Reply(503))
    yield from case.retry(**ONCE)
    assert case.item.state == "sent"
    yield from case.says("invoice_released", case.invoice(1))
    assert case.item.state == "verified"
    assert "503" in case.item.detail
    for _ in range(3):
        yield
    assert len(case.heard) == 1


@story
def the_watch_over_a_verified_item_ends_with_its_time(case: Case) -> Steps:
    yield from case.retry(**ONCE, within_s=3)
    yield from case.says("invoice_released", case.invoice(1))
    verify_by = case.item.verify_by
    assert verify_by is not None and case.item.state == "verified"
    yield
    assert case.now > verify_by
    yield from case.says("invoice_released", case.invoice(2))
    assert case.item.state == "verified"


def unmoved(on: str = "invoice", **more: Any) -> Story:
    """Something is said after the retry that is not the new report of the authority under the object."""

    def told(case: Case) -> Steps:
        yield from case.retry()
        where = {"invoice": case.invoice(1), "another": case.invoice(9), "order": ("order", case.order)}[on]
        yield from case.says("invoice_released", where, **more)
        yield from case.says("order_captured", ("order", case.order), kind="crm")  # so that the facts are looked at
        assert case.item.state == "accepted"

    return told


STORIES |= {
    "not verified by what was heard before": unmoved(received_at=T0 - timedelta(seconds=1)),
    "not verified by an echo": unmoved(kind="crm"),
    "not verified by what comes too late": unmoved(occurred_at=T0 + timedelta(hours=1)),
    "not verified by what failed again": unmoved(polarity="failed"),
    "not verified by another object": unmoved("another"),
    "not verified above the object": unmoved("order"),
}


@story
def a_report_taken_back_does_not_verify_and_a_retracted_link_does_not_carry_it(case: Case) -> Steps:
    yield from case.retry()
    later = case.now + timedelta(seconds=1)
    for polarity, at in (("reached", case.now), ("reversed", later)):
        case.desk.world.fact(case.order, "invoice_released", case.invoice(1), polarity=polarity, occurred_at=at)
    case.link(case.invoice(2), case.shipment, retract=1, occurred_at=case.now)
    yield from case.says("invoice_released", case.invoice(2))
    assert case.item.state == "accepted"


@story
def the_losing_body_of_a_conflict_does_not_verify(case: Case) -> Steps:
    yield from case.retry()
    with case.desk.world.store.writer() as client:
        client.insert("conflicts", [[7777, 7777]], column_names=["ev", "body"])
    yield from case.says("invoice_released", case.invoice(1), number=7777)
    assert case.item.state == "accepted"
