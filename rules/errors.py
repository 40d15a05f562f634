"""What can be wrong with a rulebook, said so that the search ends there.

RulebookError
└── holds Problems: file, line, key path, what is wrong, and a hint

All problems of a book are collected and raised together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. file and line are '' and 0 where a value did not come from a file."""

    problem: str
    hint: str = ""
    key: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file else ""
        head = ": ".join(part for part in (place, self.key, self.problem) if part)
        return f"{head}. Hint: {self.hint}" if self.hint else head


class RulebookError(ValueError):
    """The rulebook cannot be used; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


def wrong(problem: str, hint: str = "", key: str = "") -> RulebookError:
    """Return the error of a single mistake."""
    return RulebookError([Problem(problem, hint, key)])


def closest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a word that is not among the known ones: the nearest, else the list of all."""
    names: Sequence[str] = sorted(set(known))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "none is declared"
    listed = ", ".join(names[:20])
    return f"known are {listed}" + (" ..." if len(names) > 20 else "")
