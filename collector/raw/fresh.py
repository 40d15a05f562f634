"""Identities of one block of messages: they count for later blocks only once the block's lines are synced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Earlier(Protocol):
    """What was said before: of earlier blocks, or of the block that a part belongs to."""

    def get(self, identity: int) -> int | None: ...

    def remember(self, contents: Mapping[int, int], /) -> None: ...


class Fresh:
    """What the block has said so far, before what was said earlier."""

    def __init__(self, earlier: Earlier) -> None:
        self._earlier = earlier
        self._block: dict[int, int] = {}

    def get(self, identity: int) -> int | None:
        """Return the content first heard under an identity, None if it is unknown."""
        found = self._block.get(identity)
        return self._earlier.get(identity) if found is None else found

    def remember(self, contents: Mapping[int, int]) -> None:
        """Keep what a message of the block said first."""
        self._block.update(contents)

    def settle(self) -> None:
        """Hand the block on: its lines are synced, or will be with those of what it belongs to."""
        self._earlier.remember(self._block)
