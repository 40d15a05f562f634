"""The rulebook as people read it: who owns each milestone, what is promised, how it goes, what a backtest found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Promise:
    """One stage: what is promised in words, whose word ends it, and how its clocks stand now."""

    id: str
    label: str
    start: str
    end: str
    owner: str  # system kind with the word on the end
    team: str
    runbook: str
    limit: str
    within_s: int | None
    running: int
    late: int
    p50_s: int | None  # open time until half of its clocks had stopped; None where too few have
    p95_s: int | None

    @property
    def share(self) -> float | None:
        """How much of the limit it takes until 95 of 100 are through; None without a fixed limit."""
        return self.p95_s / self.within_s if self.within_s and self.p95_s is not None else None


def duration(seconds: int | None) -> str:
    """Return "1h30m", as a book is written; "–" for None."""
    if seconds is None:
        return "–"
    left, text = abs(int(seconds)), ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return ("-" if seconds < 0 else "") + (text or "0s")


def promises(rules: Json, stages: Json, jeopardy: Json) -> list[Promise]:
    """Return the stages of the book in process order, with their figures where the tower has told them."""
    curves = {str(c.get("rule")): c for c in jeopardy.get("curves") or () if not c.get("segment") and not c.get("thin")}
    now = {str(s.get("id")): s for s in stages.get("stages") or ()}
    owners = owners_of(rules)
    found = []
    for s in rules.get("stages") or ():
        state, curve = now.get(str(s.get("id")), {}), curves.get(str(s.get("id")), {})
        found.append(
            Promise(
                str(s.get("id")), str(s.get("label") or s.get("id")), str(s.get("from")), str(s.get("to")),
                str(state.get("system") or owners.get(str(s.get("to")), "")), str(s.get("owner") or ""),
                str(s.get("runbook") or ""), limit_words(s), s.get("within_s"), int(state.get("running") or 0),
                sum(int(state.get(n) or 0) for n in ("late", "failing", "diverging")), curve.get("median_s"),
                curve.get("p95_s"),
            )
        )  # fmt: skip
    return found


def limit_words(stage: Json) -> str:
    """Return a limit in words: "2h of finance time", "until promised at less 4h"."""
    until, plus = stage.get("until"), int(stage.get("plus_s") or 0)
    if until:
        more = f" {'plus' if plus > 0 else 'less'} {duration(abs(plus))}" if plus else ""
        text = f"until {str(until).replace('_', ' ')}{more}"
    else:
        text = duration(stage.get("within_s"))
    text += f" of {stage['calendar']} time" if stage.get("calendar") else ""
    tiers = len(stage.get("tiers") or ())
    return text + (f", {tiers} tier{'s' if tiers > 1 else ''}" if tiers else "")


def owners_of(rules: Json) -> dict[str, str]:
    """Return milestone -> the system kinds that have the word on it, in the order in which they are asked."""
    return {
        str(m.get("milestone")): ", ".join(
            str(a.get("kind")) for a in m.get("authority") or () if a.get("configured", True)
        )
        for m in rules.get("milestones") or ()
    }


def owner_rows(rules: Json) -> list[list[str]]:
    """Return who has the word on each milestone: milestone, object, meaning, owners in order, connections."""
    rows = []
    for m in rules.get("milestones") or ():
        owners = m.get("authority") or ()
        doors = dict.fromkeys(str(c) for a in owners for c in a.get("connections") or ())
        rows.append(
            [
                str(m.get("milestone")).replace("_", " "),
                str(m.get("object") or "").replace("_", " "),
                str(m.get("means") or ""),
                ", else ".join(map(_owner, owners)) or "anybody",
                ", ".join(doors) or "–",
            ]
        )
    return rows


def _owner(authority: Json) -> str:
    def words(group: Json) -> str:
        return " and ".join(f"{name.replace('_', ' ')} {test}" for name, test in group.items())

    groups = " or ".join(map(words, authority.get("when") or ()))
    return str(authority.get("kind")) + (f" where {groups}" if groups else "")


def graph(found: Iterable[Promise], rules: Json, ink: str, line: str, bad: str) -> str:
    """Return the process as a DOT graph: milestones with their owners, stages as arrows with their limits."""
    owners = owners_of(rules)
    lines = [f'node [shape=box style=rounded fontname="sans-serif" fontsize=11 color="{line}" fontcolor="{ink}"]',
             f'edge [fontname="sans-serif" fontsize=10 color="{line}" fontcolor="{ink}"]']  # fmt: skip
    found = list(found)
    for name in dict.fromkeys(n for p in found for n in (p.start, p.end)):
        lines.append(f'"{_quoted(name)}" [label="{_quoted(name.replace("_", " "))}\\n{_quoted(owners.get(name, ""))}"]')
    for p in found:
        tone = f' color="{bad}" penwidth=2' if p.late else ""
        late = f"\\n{p.late} stuck" if p.late else ""
        lines.append(f'"{_quoted(p.start)}" -> "{_quoted(p.end)}" [label="{_quoted(p.limit)}{late}"{tone}]')
    body = ";\n  ".join(lines)
    return f'digraph {{\n  rankdir=LR; bgcolor="transparent";\n  {body};\n}}'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def said(outcome: Json) -> str:
    """Return what a backtest found in one sentence."""
    seconds = float(outcome.get("seconds") or 0)
    if not outcome.get("changed_rules"):
        return "Both books give the same verdicts on every order."
    return (
        f"{outcome.get('gained', 0):,} verdicts gained, {outcome.get('lost', 0):,} lost, "
        f"{outcome.get('differently', 0):,} moved; at most {outcome.get('busiest_day', 0):,} notices for one receiver "
        f"in a day ({seconds:.1f} s)."
    )
