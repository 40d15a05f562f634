"""What becomes of an item: pure steps from what was heard to its next state. No clock, no store, no network."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tower.actions.answer import Answer
from tower.actions.item import Item
from tower.actions.policy import next_attempt_at
from tower.actions.verify import Told


def claim(item: Item, noted_at: datetime) -> Item:
    """Return the item about to be sent for the first or the next time.

    The instant noted before the first send stays: that send may have taken effect.
    """
    return _moved(
        item, noted_at, state="sent", attempts=item.attempts + 1, noted_at=item.noted_at or noted_at, sent_at=noted_at,
        next_at=None,
    )  # fmt: skip


def after_answer(item: Item, answer: Answer, at: datetime, error_class: str = "") -> Item:
    """Return the item after a send was answered, or not, at `at`.

    A 2xx starts the contract's time; a definite no ends the item as failed; anything else is sent again under the
    same key by the policy for its class of error, and ends as expired when the attempts or the time are used up.
    """
    said = {"status_code": answer.status, "detail": answer.detail}
    if answer.verdict == "accepted":
        verify_by = at + timedelta(seconds=item.promise.within_s)
        return _moved(item, at, state="accepted", accepted_at=at, verify_by=verify_by, **said)
    if answer.verdict == "refused":
        return _moved(item, at, state="failed", finished_at=at, **said)
    promise = item.promise
    policy = promise.policy(error_class)
    again_at = next_attempt_at(policy, item.attempts, at, answer.retry_after_s, seed=item.item_id)
    if again_at is None or (promise.give_up_at is not None and again_at > promise.give_up_at):
        outcome = "the outcome is unknown" if answer.verdict == "unknown" else "it was never sent"
        said["detail"] = f"{answer.detail}; {outcome} after {item.attempts} attempts"
        return _moved(item, at, state="expired", finished_at=at, **said)
    return _moved(item, at, next_at=again_at, **said)


def after_facts(item: Item, told: Told, watermark: datetime | None, now: datetime) -> Item:
    """Return the item after a look at the facts.

    An item that was accepted, whose answer never came, or that is verified and still within its time. watermark: how
    far all feeds of the authority have told, None when no feed gates it. Equal instants are in time.
    """
    promise = item.promise
    if told.harm:
        said = ", ".join(f"{name} {what} at {at.isoformat()}" for name, what, at in told.harm)
        return _moved(item, now, state="regressed", finished_at=now, next_at=None, detail=f"since it was sent: {said}")
    if doubled := told.doubled():
        return _moved(item, now, state="duplicated", finished_at=now, next_at=None, detail=doubled)
    if item.state == "verified":
        return item
    if told.seen_at is not None:
        said = f"{promise.milestone} at {told.seen_at.isoformat()}"
        if item.state == "sent":
            said += f"; the target's own answer: {item.detail}"
        verify_by = item.verify_by or now + timedelta(seconds=promise.within_s)
        return _moved(
            item, now, state="verified", finished_at=now, next_at=None, verify_by=verify_by, detail=said
        )  # fmt: skip
    if item.verify_by is None:
        return item
    if now > item.verify_by and (watermark is None or watermark > item.verify_by):
        said = f"accepted, but no {promise.milestone} by {item.verify_by.isoformat()}"
        return _moved(item, now, state="no_effect", finished_at=now, detail=said)
    return item


def ended(item: Item, state: str, detail: str, now: datetime) -> Item:
    """Return the item ended before it was ever sent."""
    return _moved(item, now, state=state, finished_at=now, detail=detail, next_at=None)


def _moved(item: Item, at: datetime, **changes: object) -> Item:
    """Return the next revision. The engine counts by two, so that a cancellation (one more) never beats a claim."""
    return replace(item, updated_at=at, revision=item.revision + 2, **changes)  # type: ignore[arg-type]  # typed by Item
