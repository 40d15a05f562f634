"""When to send again: a plain formula over the book's policy."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.model import Policy


def next_attempt_at(policy: Policy, attempts: int, at: datetime, retry_after_s: int | None = None) -> datetime | None:
    """Return when the next send is due after `attempts` sends, the last of them answered at `at`; None: give up.

    backoff none waits not at all, fixed always first_s, exponential first_s doubled with every send, at most max_s.
    A target that asks for a longer wait gets it.
    """
    if attempts >= policy.attempts:
        return None
    wait_s = {"none": 0, "fixed": policy.first_s}.get(policy.backoff, policy.first_s * 2 ** min(attempts - 1, 30))
    return at + timedelta(seconds=max(min(wait_s, policy.max_s), retry_after_s or 0))
