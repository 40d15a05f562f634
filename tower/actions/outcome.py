"""What becomes of an item: pure steps from what was heard to its next state. No clock, no store, no network."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tower.actions.item import Item
from tower.actions.policy import next_attempt_at
from tower.actions.target import Answer


def claim(item: Item, noted_at: datetime) -> Item:
    """Return the item about to be sent for the first or the next time.

    The instant noted before the first send stays: that send may have taken effect.
    """
    return _moved(
        item, noted_at, state="sent", attempts=item.attempts + 1, noted_at=item.noted_at or noted_at, sent_at=noted_at,
        next_at=None,
    )  # fmt: skip


def after_answer(item: Item, answer: Answer, at: datetime) -> Item:
    """Return the item after a send was answered, or not, at `at`.

    A 2xx starts the contract's time; a definite no ends the item as failed; anything else is sent again under the
    same key by policy, and ends as expired when the attempts are used up.
    """
    said = {"status_code": answer.status, "detail": answer.detail}
    if answer.verdict == "accepted":
        verify_by = at + timedelta(seconds=item.promise.within_s)
        return _moved(item, at, state="accepted", accepted_at=at, verify_by=verify_by, **said)
    if answer.verdict == "refused":
        return _moved(item, at, state="failed", finished_at=at, **said)
    again_at = next_attempt_at(item.promise.policy, item.attempts, at, answer.retry_after_s)
    if again_at is None:
        outcome = "the outcome is unknown" if answer.verdict == "unknown" else "it was never sent"
        said["detail"] = f"{answer.detail}; {outcome} after {item.attempts} attempts"
        return _moved(item, at, state="expired", finished_at=at, **said)
    return _moved(item, at, next_at=again_at, **said)


def after_facts(item: Item, seen_at: datetime | None, watermark: datetime | None, now: datetime) -> Item:
    """Return the accepted item after a look at the facts.

    seen_at: when the contract's milestone occurred, from a fact that counts; None if there is none. watermark: how
    far the authority's feed has told, None when no feed gates it. Equal instants are in time.
    """
    assert item.verify_by is not None
    milestone = item.promise.milestone
    if seen_at is not None:
        return _moved(item, now, state="verified", finished_at=now, detail=f"{milestone} at {seen_at.isoformat()}")
    if now > item.verify_by and (watermark is None or watermark > item.verify_by):
        said = f"accepted, but no {milestone} by {item.verify_by.isoformat()}"
        return _moved(item, now, state="no_effect", finished_at=now, detail=said)
    return item


def ended(item: Item, state: str, detail: str, now: datetime) -> Item:
    """Return the item ended before it was ever sent."""
    return _moved(item, now, state=state, finished_at=now, detail=detail, next_at=None)


def _moved(item: Item, at: datetime, **changes: object) -> Item:
    """Return the next revision. The engine counts by two, so that a cancellation (one more) never beats a claim."""
    return replace(item, updated_at=at, revision=item.revision + 2, **changes)  # type: ignore[arg-type]  # typed by Item
