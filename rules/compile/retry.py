"""The policies of a book as SQL: which of its cases hold for an order, and which kind of error a text is."""

from __future__ import annotations

from rules.compile.authority import columns
from rules.compile.quote import choose, text, texts
from rules.match import when_sql
from rules.model import Book


def error_class_sql(book: Book, column: str) -> str:
    """Return the expression for the id of the first class a text of an error belongs to; '' for none."""
    cases = [
        (f"multiSearchAny(lower({column}), {texts(part.lower() for part in e.texts)})", text(e.id))
        for e in book.errors
        if e.texts
    ]
    return choose(cases, "''")


def cases_sql(book: Book, table: str) -> str:
    """Return the map from action to the numbers of its cases whose `when` holds in an order of `table`."""
    pairs = []
    for action in book.actions:
        held = [
            f"if({when_sql(case.when, columns(table))}, [{i}], CAST([] AS Array(UInt8)))"
            for i, case in enumerate(action.policy.cases)
        ]
        if held:
            pairs += [text(action.id), f"arrayConcat({', '.join(held)})"]
    return f"CAST(map({', '.join(pairs)}) AS Map(String, Array(UInt8)))"


def own_retries_sql(book: Book) -> str:
    """Return the array of policies by which the engine retries by itself, as tuples; '' where no policy is automatic.

    (action, target, stages, number of the case or -1, error classes, automatic, attempts, backoff, first_s, max_s,
    jitter, give_up_s or 0). For a stuck clock the first holds whose stages, case and classes fit.
    """
    rows = []
    for action in book.actions:
        policies = [(i, c.errors, c.policy) for i, c in enumerate(action.policy.cases)] + [(-1, (), action.policy)]
        if action.kind != "retry" or not any(policy.automatic for _, _, policy in policies):
            continue
        names = [s.id for s in book.stages] + [f.id for f in book.findings]
        stages = [name for name in names if book.action_for(name) is action]
        for number, classes, p in policies:
            rows.append(
                f"({text(action.id)}, {text(action.target)}, {texts(stages)}, toInt16({number}), {texts(classes)}, "
                f"toUInt8({int(p.automatic)}), toUInt32({p.attempts}), {text(p.backoff)}, toUInt32({p.first_s}), "
                f"toUInt32({p.max_s}), toFloat64({p.jitter}), toUInt32({p.give_up_s or 0}))"
            )
    return f"[{', '.join(rows)}]" if rows else ""
