"""Why one event is no event. Permanent: the same bytes would be refused again."""

from __future__ import annotations


class Rejection(Exception):
    """A refused event. code is stable and for programs (docs/events.md lists all); detail says what to change."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
