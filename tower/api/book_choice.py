"""Which rulebook a caller means: a recorded version, files of its own, or either with other limits."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rules.duration import HINT, parse_duration
from rules.errors import RulebookError, closest
from rules.model import Book, Budget
from rules.parse import parse_book
from tower.api.context import ApiContext
from tower.engine.books import recorded
from tower.model.problem import Problem

IN_FORCE = "in-force"
_SHORTEST_HASH = 6


class BookChoice(BaseModel):
    """A rulebook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[str, Field(max_length=64, description="Beginning of a recorded version's hash")] = IN_FORCE
    files: Annotated[
        dict[str, str] | None, Field(max_length=200, description="File name to YAML text, instead of a version")
    ] = None
    limits: Annotated[
        dict[str, str], Field(max_length=200, description="Stage to a limit that replaces its own, such as 4h")
    ] = {}


def chosen(context: ApiContext, choice: BookChoice, name: str) -> Book:
    """Return the book. Raises Problem 400 that names what is wrong with it, file by file."""
    try:
        book = _book(context, choice, name)
        return _limited(book, choice.limits, name) if choice.limits else book
    except RulebookError as error:
        raise Problem(
            400,
            "bad_book",
            f"{name}: the rulebook cannot be used: {error.problems[0]}",
            errors=[
                {
                    "in": "body",
                    "name": f"{name}.{p.file}" if p.file else name,
                    "line": p.line,
                    "key": p.key,
                    "detail": str(p),
                }
                for p in error.problems[:100]
            ],
        ) from error


def _book(context: ApiContext, choice: BookChoice, name: str) -> Book:
    if choice.files is not None:
        return parse_book(choice.files)
    if choice.version == IN_FORCE:
        return context.book()
    versions = dict(recorded(context.store))
    fits = [files for h, files in versions.items() if h.startswith(choice.version)]
    if len(choice.version) < _SHORTEST_HASH or len(fits) != 1:
        hint = f"GET /v1/rules/versions lists them; the one in force is also called {IN_FORCE}"
        raise Problem(400, "unknown_version", f"{name}: {choice.version!r} names no single recorded version; {hint}")
    return parse_book(fits[0])


def _limited(book: Book, limits: dict[str, str], name: str) -> Book:
    """Return the book with other limits on some stages, their tiers left as they are; its hash is of the two."""
    budgets: dict[str, Budget] = {}
    for stage_id, text in limits.items():
        if book.stage(stage_id) is None:
            hint = closest(stage_id, [s.id for s in book.stages])
            raise Problem(400, "unknown_stage", f"{name}: the rulebook has no stage {stage_id!r}; {hint}")
        try:
            budgets[stage_id] = Budget(within_s=parse_duration(text))
        except ValueError as error:
            raise Problem(400, "bad_limit", f"{name}: limit of {stage_id}: {error}; {HINT}") from error
    stages = tuple(replace(s, budget=budgets[s.id]) if s.id in budgets else s for s in book.stages)
    digest = hashlib.sha256(f"{book.hash} {sorted((k, b.within_s) for k, b in budgets.items())}".encode()).hexdigest()
    return replace(book, stages=stages, hash=digest)
