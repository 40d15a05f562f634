"""errors and policies: which kinds of error there are, and how often and how patiently an act is tried again."""

from __future__ import annotations

from dataclasses import replace

from rules.errors import closest
from rules.model import ErrorClass, Policy, PolicyCase
from rules.section import Section

BACKOFFS = ("immediate", "fixed", "exponential", "none")
_MOST_ATTEMPTS = 100


def read_errors(book: Section) -> tuple[ErrorClass, ...]:
    """Return the error classes in the order written: the first that matches names an error."""
    return tuple(_class(section) for section in book.sections("errors", "error class"))


def _class(section: Section) -> ErrorClass:
    texts = section.texts("text")
    statuses = []
    for written in section.texts("status"):
        if not written.isdecimal() or not 100 <= int(written) <= 599:
            section.report("status", f"{written!r} is no HTTP status", "write for example status: [502, 503, 504]")
            continue
        statuses.append(int(written))
    if not texts and not section.has("status"):
        section.report(None, "the class matches nothing", "write text: [...] or status: [...] or both")
    if any(not part.strip() for part in texts):
        section.report("text", "an empty text is in every error", "write a part of the message")
    return ErrorClass(section.identifier("id"), texts, tuple(statuses))


def read_policy(section: Section, classes: tuple[str, ...]) -> Policy:
    """Return the policy of an action; classes: ids of the book's error classes."""
    entry = section.section("policy", "policy")
    if entry is None:
        return Policy()
    base = _patience(entry, Policy())
    cases = tuple(_case(part, base, classes) for part in entry.sections("cases", "policy case"))
    return replace(base, cases=cases)


def _case(section: Section, base: Policy, classes: tuple[str, ...]) -> PolicyCase:
    """Return a case; what it does not say is as in the policy."""
    errors = section.texts("error")
    for name in errors:
        if name not in classes:
            section.report("error", f"unknown error class {name!r}", closest(name, classes))
    when = section.when()
    if not errors and not when.any_of:
        section.report(None, "the case holds for everything", "write when, error or both, or change the policy itself")
    return PolicyCase(when, errors, _patience(section, base))


def _patience(section: Section, default: Policy) -> Policy:
    first = section.duration("first", least=1) or default.first_s
    longest = section.duration("max", least=1) or default.max_s
    if section.has("first") and section.has("max") and longest < first:
        section.report("max", "max is shorter than first", "the wait grows from first up to max")
    least = 0 if section.part == "policy case" else 1
    attempts = section.count("attempts", default.attempts, least, _MOST_ATTEMPTS)
    automatic = section.flag("automatic", default.automatic and attempts > 0)
    if automatic and not attempts:
        section.report("automatic", "0 attempts cannot be automatic", "leave automatic out")
    backoff = section.choice("backoff", BACKOFFS, default.backoff)
    jitter = section.percent("jitter")
    return Policy(
        attempts,
        "immediate" if backoff == "none" else backoff,
        first,
        max(longest, first),
        automatic,
        default.jitter if jitter is None else float(jitter),
        section.duration("give_up_after", least=1) or default.give_up_s,
    )
