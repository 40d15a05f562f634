"""What a decoder gives, and how it says that it cannot."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple


class Unit(NamedTuple):
    """One document of a body, for one application of a mapping.

    position says where in the body it stands, in the format's own terms. notes are what the envelope got wrong without
    making the document doubtful, such as a trailer that counts other segments than there are.
    """

    document: dict[str, Any]
    position: str
    notes: tuple[str, ...] = ()


class Undecodable(Exception):
    """Bytes that are not of the declared format. The same bytes would fail again.

    detail says what is wrong and, where it helps, what to change; position where. reason is the quarantine reason.
    foreign says that the bytes do not even look like the format, so that another one's complaint is worth more.
    """

    reason: ClassVar[str] = "undecodable"

    def __init__(self, detail: str, position: str, *, foreign: bool = False) -> None:
        super().__init__(f"{detail} ({position})" if position else detail)
        self.detail = detail
        self.position = position
        self.foreign = foreign

    @property
    def weight(self) -> int:
        """How much the complaint is worth among those of several formats: the surer it is the right one, the more."""
        return 0 if self.foreign else 1


class ControlTotal(Undecodable):
    """A file that does not hold what its own header or trailer declares: none of it can be trusted."""

    reason: ClassVar[str] = "batch_control_total"

    @property
    def weight(self) -> int:
        """The file was read to its end: it is of this format."""
        return 2
