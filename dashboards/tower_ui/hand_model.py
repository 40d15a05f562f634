"""What people say about orders by hand: which words there are, when each is offered, and how they read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.tower_ui.actions import Answer, trouble


@dataclass(frozen=True, slots=True)
class Word:
    """One kind of action by hand. done: what is then said of the order; asks: what the reason is asked with."""

    label: str
    means: str
    done: str
    asks: str
    must: bool = False


WORDS: dict[str, Word] = {
    "assign": Word("Assign", "Somebody works on it.", "assigned", "What is to be done"),
    "unassign": Word("Take from its owner", "Nobody works on it any more.", "taken from its owner", "Why"),
    "hold": Word("Hold", "Nobody retries it, nor does the engine. Clocks go on.", "held", "Why", must=True),
    "release": Word("Release", "Retries may go again.", "released", "Why"),
    "note": Word("Note", "A line for whoever looks next.", "noted", "The note", must=True),
    "escalate": Word("Escalate", "Whoever the routes name is told at once.", "escalated", "Why", must=True),
    "deescalate": Word("Take back the escalation", "The alert ends.", "no longer escalated", "Why"),
    "mark_done": Word(
        "Mark done", "It leaves the board as done, whatever the systems say, until something contrary happens.",
        "marked done", "How it was finished", must=True,
    ),
    "reopen": Word("Reopen", "It counts again as the systems say.", "open again", "Why", must=True),
}  # fmt: skip
_SAID: dict[tuple[str, bool], str] = {
    ("held", False): "holds it", ("held", True): "released it", ("assigned", True): "took it from its owner",
    ("noted", False): "noted", ("escalated", False): "escalated it", ("escalated", True): "took the escalation back",
    ("marked_done", False): "marked it done", ("marked_done", True): "opened it again",
}  # fmt: skip


def offered(*, closed: bool, held: bool, assigned: bool, escalated: bool, closed_by: str) -> list[str]:
    """Return the words that make sense for an order as it stands, the likely one first."""
    if closed:
        return ["note", *(["reopen"] if closed_by else [])]
    return [
        "assign", *(["unassign"] if assigned else []), "release" if held else "hold", "note",
        "deescalate" if escalated else "escalate", "mark_done",
    ]  # fmt: skip


def sentence(word: Mapping[str, Any]) -> str:
    """Return what was said in one word of an order's page: `ana holds it`."""
    who, undo = str(word.get("by") or ""), bool(word.get("undo"))
    if word.get("what") == "assigned" and not undo:
        to = str(word.get("assignee") or "")
        return f"{who} works on it" if to == who else f"{who} assigned it to {to}"
    return f"{who} {_SAID.get((str(word.get('what')), undo), str(word.get('what') or ''))}"


def message(kind: str, answer: Answer) -> str:
    """Return what became of a request in one line."""
    if answer.error:
        return trouble(answer, "Nothing was said.", "Look at the order before you say it again.")
    taken = answer.accepted
    refused = {o: answer.details.get(o) or r for o, r in answer.results.items() if r != "accepted"}
    parts = [f"{taken[0] if len(taken) == 1 else f'{len(taken):,} orders'} {WORDS[kind].done}"] if taken else []
    parts += [f"{order}: {why}" for order, why in list(refused.items())[:3]]
    return " · ".join(parts + ([f"{len(refused) - 3} more refused"] if len(refused) > 3 else []))
