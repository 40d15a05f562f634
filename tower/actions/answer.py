"""What came of one call to a target, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one send.

    verdict: accepted (2xx), refused (a definite no), unknown (it may have worked) or unsent (it cannot have).
    reached: whether the target saw the call.
    """

    verdict: str
    status: int
    detail: str
    retry_after_s: int | None = None
    reached: bool = True
