"""What a retry did to the business: moved it, did nothing, did it twice, or broke something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.model import Verify
from tests.actions.desk import Desk
from tests.actions.target_stub import Reply, TargetStub


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """One invoice per shipment is promised."""
    desk = make_desk()
    promise(desk, once=("invoice_released",))
    for n in (1, 2):
        desk.world.link("SO-1", ("invoice", f"I{n}"), ("shipment", "S1"))
    return desk


def promise(desk: Desk, **contract: Any) -> None:
    action = replace(desk.book.actions[0], verify=replace(Verify("invoice_released", 60), **contract))
    desk.book = replace(desk.book, actions=(action,))


def accepted(desk: Desk) -> None:
    desk.click("SO-1")
    desk.step()
    desk.world.wait(1)
    desk.step()
    assert desk.states() == ["accepted"]


def says(desk: Desk, milestone: str, on: tuple[str, str], **more: Any) -> None:
    desk.world.wait(1)
    desk.world.fact("SO-1", milestone, on, **more)
    desk.world.wait(1)
    desk.step()


def test_two_invoices_for_one_shipment_are_duplicated_also_when_the_second_comes_later(desk: Desk) -> None:
    accepted(desk)
    says(desk, "invoice_released", ("invoice", "I1"))
    assert desk.states() == ["verified"]
    says(desk, "invoice_released", ("invoice", "I2"))
    assert desk.states() == ["duplicated"]
    assert "I1, I2" in desk.items()[0].detail
    assert desk.acts()[-2:] == [("engine", "verified"), ("engine", "duplicated")]


@pytest.mark.parametrize(
    ("second", "more"),
    [("I1", {}), ("I2", {"kind": "crm"}), ("I2", {"polarity": "failed"})],
    ids=["the same invoice said again", "an echo", "one that failed"],
)
def test_what_is_no_second_invoice(desk: Desk, second: str, more: dict[str, Any]) -> None:
    accepted(desk)
    says(desk, "invoice_released", ("invoice", "I1"))
    says(desk, "invoice_released", ("invoice", second), **more)
    assert desk.states() == ["verified"]


def test_two_that_stood_before_are_not_the_retry_s_doing_and_one_taken_back_does_not_count(desk: Desk) -> None:
    desk.world.fact("SO-1", "invoice_released", ("invoice", "I1"))
    desk.world.fact("SO-1", "invoice_released", ("invoice", "I2"))
    desk.world.wait(1)
    accepted(desk)
    desk.step()
    assert desk.states() == ["accepted"]
    says(desk, "invoice_released", ("invoice", "I1"), polarity="reversed")
    desk.world.link("SO-1", ("invoice", "I3"), ("shipment", "S1"))
    says(desk, "invoice_released", ("invoice", "I2"), polarity="reversed")
    says(desk, "invoice_released", ("invoice", "I3"))
    assert desk.states() == ["verified"]


@pytest.mark.parametrize("polarity", ["reversed", "failed"])
def test_what_was_reached_before_and_is_not_any_more_is_a_regression(desk: Desk, polarity: str) -> None:
    says(desk, "shipment_confirmed", ("shipment", "S1"), kind="wms")
    desk.world.wait(1)
    accepted(desk)
    says(desk, "shipment_confirmed", ("shipment", "S1"), kind="wms", polarity=polarity)
    assert desk.states() == ["regressed"]
    assert f"shipment_confirmed {polarity}" in desk.items()[0].detail


@pytest.mark.parametrize(
    ("keep", "before", "state"),
    [(("order_captured",), True, "accepted"), (("shipment_confirmed",), True, "regressed"), (None, False, "accepted")],
    ids=["another is to be kept", "this is to be kept", "it had not been reached"],
)
def test_what_is_to_be_kept_can_be_said(desk: Desk, keep: Any, before: bool, state: str) -> None:
    promise(desk, keep=keep)
    if before:
        says(desk, "shipment_confirmed", ("shipment", "S1"), kind="wms")
        desk.world.wait(1)
    accepted(desk)
    says(desk, "shipment_confirmed", ("shipment", "S1"), kind="wms", polarity="failed")
    assert desk.states() == [state]


def test_another_system_s_word_can_be_asked_for(desk: Desk) -> None:
    promise(desk, system="crm")
    accepted(desk)
    says(desk, "invoice_released", ("invoice", "I1"))
    assert desk.states() == ["accepted"]
    says(desk, "invoice_released", ("invoice", "I1"), kind="crm")
    assert desk.states() == ["verified"]


def test_an_answer_that_never_came_does_not_hide_that_the_business_moved(desk: Desk, target: TargetStub) -> None:
    """The send is not repeated: the milestone says that it has worked."""
    target.plan = [Reply(503)]
    desk.click("SO-1")
    desk.step()
    desk.world.wait(1)
    desk.step()
    assert desk.states() == ["sent"]
    says(desk, "invoice_released", ("invoice", "I1"))
    assert desk.states() == ["verified"]
    assert "503" in desk.items()[0].detail
    desk.world.wait(300)
    desk.step()
    assert len(target.heard) == 1


def test_the_watch_over_a_verified_item_ends_with_its_time(desk: Desk) -> None:
    accepted(desk)
    says(desk, "invoice_released", ("invoice", "I1"))
    verify_by = desk.items()[0].verify_by
    assert verify_by is not None
    desk.world.now = verify_by + timedelta(seconds=1)
    says(desk, "invoice_released", ("invoice", "I2"))
    assert desk.states() == ["verified"]
