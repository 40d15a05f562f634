"""What can be wrong with a book whose form is right: names that lead nowhere, rules that cannot work.

Problems go to the document, which knows the lines; what is returned are warnings. A list of checks, each over one
part of the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rules.cover import covers
from rules.document import Document, Path
from rules.errors import Problem, closest
from rules.model import Action, Book, Condition, FindingRule, Milestone, Stage, When
from rules.vocabulary import MONEY_OBJECTS, is_above

_SUFFIXES = (".failed", ".reversed")


def lint(book: Book, document: Document) -> tuple[Problem, ...]:
    """Report every problem of the book to the document and return the warnings."""
    check = _Lint(book, document)
    check.milestones()
    check.process()
    check.rule_ids()
    for i, stage in enumerate(book.stages):
        check.stage(stage, ("stages", i))
    for rule in book.findings:
        check.finding(rule, check.path_of("findings", rule.id))
    check.feeds()
    check.priorities()
    check.actions()
    check.value()
    check.routes()
    check.examples()
    return tuple(check.warnings)


class _Lint:
    """One pass over one book. Names are known as soon as they are written, even if their entry has a mistake."""

    def __init__(self, book: Book, document: Document) -> None:
        self.book, self.document = book, document
        self.warnings: list[Problem] = []
        self.kinds = sorted({a.kind for m in book.milestones.values() for a in m.authority})
        self.calendar_names = self.names("calendars")

    def names(self, part: str) -> list[str]:
        """Names or ids written in a part of the book."""
        written = self.document.value.get(part)
        if isinstance(written, dict):
            return list(written)
        items = written if isinstance(written, list) else []
        return [str(i.get("id", i.get("name", ""))) for i in items if isinstance(i, dict)]

    def path_of(self, part: str, name: str) -> Path:
        """Path of the entry with that id."""
        return (part, self.names(part).index(name))

    def warn(self, path: Path, problem: str, hint: str) -> None:
        file, line = self.document.place(path)
        self.warnings.append(Problem(problem, hint, self.document.label(path), file, line))

    def known(self, name: str, among: Iterable[str], what: str, path: Path) -> bool:
        """Report a name that is not among the declared ones; empty names were reported when read."""
        names = list(among)
        if name and name not in names:
            self.document.report(path, f"unknown {what} {name!r}", closest(name, names))
        return bool(name) and name in names

    def milestone(self, name: str, path: Path) -> Milestone | None:
        self.known(name, self.book.milestones, "milestone", path)
        return self.book.milestones.get(name)

    def milestones(self) -> None:
        for name, milestone in self.book.milestones.items():
            path: Path = ("milestones", name)
            if name.endswith(_SUFFIXES) or not name.replace("_", "").isalnum() or name != name.lower():
                self.document.report(path, f"{name!r} is no name for a milestone", "use a-z, digits and _")
            for after in milestone.after:
                self.known(after, self.book.milestones, "milestone", (*path, "after"))
            for i, earlier in enumerate(milestone.authority[:-1]):
                if not earlier.when.any_of:
                    later = milestone.authority[i + 1].kind
                    hint = "a kind without a connection is skipped, so a plain list is a list of fallbacks"
                    if milestone.authority[i + 1].when.any_of:
                        problem = f"{later!r} with `when` comes after {earlier.kind!r}, which always has the word"
                        self.document.report((*path, "authority"), problem, f"put {later} first; {hint}")
        for name in self._on_cycles():
            self.document.report(("milestones", name, "after"), f"{name!r} comes after itself", "break the circle")

    def _on_cycles(self) -> list[str]:
        after = {name: [a for a in m.after if a in self.book.milestones] for name, m in self.book.milestones.items()}

        def reaches(start: str) -> set[str]:
            seen: set[str] = set()
            todo = list(after[start])
            while todo:
                name = todo.pop()
                if name not in seen:
                    seen.add(name)
                    todo.extend(after[name])
            return seen

        return [name for name in after if name in reaches(name)]

    def process(self) -> None:
        process = self.book.process
        for key, names in (("start", process.start), ("cancelled", process.cancelled)):
            for name in names:
                self.milestone(name, ("process", key))
        for i, done in enumerate(process.done):
            found = self.milestone(done.milestone, ("process", "done", i))
            if found and not _on_or_below(found.object, done.per):
                problem = f"{done.milestone} is about {_a(found.object)}, which does not lie under {_a(done.per)}"
                self.document.report(
                    ("process", "done", i), problem, f"ask it per {found.object} or of something above it"
                )

    def rule_ids(self) -> None:
        for parts in (("stages", "findings"), ("errors",), ("actions",), ("priorities",)):
            seen: dict[str, str] = {}
            for part in parts:
                for i, name in enumerate(self.names(part)):
                    file, line = self.document.place((part, i))
                    if name and name in seen:
                        what = "name" if part == "priorities" else "id"
                        self.document.report(
                            (part, i), f"the {what} {name!r} is taken by {seen[name]}", "choose another"
                        )
                    seen.setdefault(name, f"{file}:{line}")

    def stage(self, stage: Stage, path: Path) -> None:
        start = self.milestone(stage.start.milestone, (*path, "from"))
        end = self.milestone(stage.end.milestone, (*path, "to"))
        if end and not _on_or_below(end.object, stage.per):
            problem = f"{end.name} is about {_a(end.object)}, which does not lie under {_a(stage.per)}"
            self.document.report((*path, "to"), problem, _per_hint(end.object, start))
        if start and not _on_one_path(start.object, stage.per):
            problem = f"{start.name} is about {_a(start.object)}, which lies neither above nor under {_a(stage.per)}"
            self.document.report((*path, "from"), problem, "choose another `per`")
        if start and end and start.name == end.name:
            self.document.report((*path, "to"), "the stage ends where it starts", "choose another milestone")
        for i, pause in enumerate(stage.pauses):
            for key, name in (("from", pause.start), ("to", pause.end)):
                found = self.milestone(name, (*path, "pause", i, key))
                if found and not _on_one_path(found.object, stage.per):
                    problem = f"{name} is about {_a(found.object)}, which lies neither above nor under {_a(stage.per)}"
                    self.document.report((*path, "pause", i, key), problem, "such a milestone can never pause it")
        for key, names in (("reset", stage.resets), ("cancel", stage.cancels)):
            for name in names:
                found = self.milestone(name, (*path, key))
                if found and not _on_one_path(found.object, stage.per):
                    problem = f"{name} is about {_a(found.object)}, which lies neither above nor under {_a(stage.per)}"
                    self.document.report((*path, key), problem, f"such a milestone can never {key} it")
                if name == stage.end.milestone:
                    self.document.report((*path, key), f"{name} stops the stage already", "choose another milestone")
        self.calendar(stage.calendar, (*path, "calendar"))
        budget = stage.budget.within_s
        if stage.not_before_s and budget and stage.not_before_s >= budget:
            self.document.report(
                (*path, "not_before"), "not_before is as long as within", "every stop would be a finding"
            )
        for i, tier in enumerate(stage.tiers):
            self.calendar(tier.calendar, (*path, "tiers", i, "calendar"))
            self.priority_values(tier.when, (*path, "tiers", i, "when"))
        self.priority_values(stage.when, (*path, "when"))
        self.shadowed([tier.when for tier in stage.tiers], (*path, "tiers"), "tier")

    def finding(self, rule: FindingRule, path: Path) -> None:
        for key in ("first", "then", "since", "fact", "milestone"):
            self.milestone(getattr(rule, key), (*path, key))
        for kind in (*rule.systems, rule.system):
            self.system(kind, (*path, "systems" if rule.systems else "system"))
        if rule.kind == "diverging" and len(set(rule.systems)) == 1:
            self.document.report((*path, "systems"), "one system cannot differ from itself", "name two or more")
        found = self.book.milestones.get(rule.milestone)
        if rule.kind == "duplicate" and found and not _on_or_below(found.object, rule.per):
            problem = f"{rule.milestone} is about {_a(found.object)}, which does not lie under {_a(rule.per)}"
            self.document.report((*path, "per"), problem, "choose another `per`")
        self.priority_values(rule.when, (*path, "when"))
        if rule.kind == "out_of_order" and rule.first and rule.first == rule.then:
            self.document.report((*path, "then"), "a milestone cannot come before itself", "choose another milestone")

    def system(self, kind: str, path: Path) -> None:
        if kind and kind not in self.kinds:
            self.warn(path, f"{kind!r} is no authority of this book", closest(kind, self.kinds))

    def calendar(self, name: str | None, path: Path) -> None:
        if name:
            self.known(name, self.calendar_names, "calendar", path)

    def shadowed(self, whens: Sequence[When], path: Path, what: str) -> None:
        """Report matchers that never get their turn since an earlier one holds whenever they do."""
        for i, when in enumerate(whens):
            covering = next((j for j in range(i) if covers(whens[j], when)), None)
            if covering is not None:
                problem = f"this {what} is never reached: number {covering + 1} holds whenever it would"
                self.document.report(
                    (*path, i), problem, f"the first {what} that matches wins; put the narrower one first"
                )

    def priority_values(self, when: When, path: Path) -> None:
        names = [p.name for p in self.book.priorities]
        for condition in _conditions(when, "priority"):
            for value in condition.values:
                self.known(value, names, "priority", (*path, "priority"))

    def feeds(self) -> None:
        seen: set[str] = set()
        for i, feed in enumerate(self.book.feeds):
            self.calendar(feed.calendar, ("feeds", i, "calendar"))
            if feed.connection and feed.connection in seen:
                self.document.report(
                    ("feeds", i), f"a second feed of {feed.connection}", "a connection has one timetable"
                )
            seen.add(feed.connection)

    def priorities(self) -> None:
        for i, priority in enumerate(self.book.priorities):
            if any(_conditions(priority.when, "priority")):
                self.document.report(
                    ("priorities", i, "when"), "a priority cannot depend on the priority", "use attributes"
                )
        self.shadowed([p.when for p in self.book.priorities], ("priorities",), "priority")

    def actions(self) -> None:
        stages = self.names("stages")
        offered: dict[tuple[str, str], str] = {}
        for i, action in enumerate(self.book.actions):
            path: Path = ("actions", i)
            if action.stage != "any":
                self.known(action.stage, [*stages, "any"], "stage", (*path, "stage"))
            self.known(action.target, self.names("targets"), "target", (*path, "target"))
            self.milestone(action.verify.milestone, (*path, "verify", "milestone"))
            if action.verify.system:
                self.known(action.verify.system, self.kinds, "kind of system", (*path, "verify", "system"))
            for key, names in (("once", action.verify.once), ("keep", action.verify.keep or ())):
                for name in names:
                    self.milestone(name, (*path, "verify", key))
            first = offered.setdefault((action.kind, action.stage), action.id)
            if first != action.id and action.stage:
                problem = f"{first} is the {action.kind} of {action.stage} already"
                self.document.report((*path, "stage"), problem, "a stage offers one action of a kind")
            self.automatic(action, path)
            goes_to = self.book.targets.get(action.target)
            if goes_to is not None and (goes_to.kind == "rabbitmq") != (action.request.method == "REDRIVE"):
                key = "redrive" if goes_to.kind == "rabbitmq" else "request"
                problem = f"{action.target} is of kind {goes_to.kind} and needs {key}"
                self.document.report((*path, "target"), problem, f"write {key}: {{...}}, see docs/targets.md")

    def automatic(self, action: Action, path: Path) -> None:
        """The engine acts by itself only where a repeat does no harm, and never on money."""
        policies = [action.policy, *(case.policy for case in action.policy.cases)]
        if not any(policy.automatic for policy in policies):
            return
        proof = self.book.milestones.get(action.verify.milestone)
        where = (*path, "policy")
        if action.kind != "retry":
            self.document.report(where, f"a {action.kind} is never automatic", "write automatic: false")
        if proof is not None and proof.object in MONEY_OBJECTS:
            problem = f"{action.verify.milestone} is about {_a(proof.object)}: money documents are never automatic"
            self.document.report(where, problem, "write automatic: false; a person decides")
        elif action.safety not in ("R0", "R1"):
            problem = f"an act of class {action.safety} may repeat a business effect and is never automatic"
            self.document.report(where, problem, "write automatic: false, or safety: R1 where a repeat is harmless")

    def value(self) -> None:
        self.calendar(self.book.value.calendar, ("value", "calendar"))
        written = self.document.value.get("value")
        means = written.get("means") if isinstance(written, dict) else None
        for meaning in means if isinstance(means, dict) else ():
            for name in self.book.value.means.get(meaning, ()):
                self.known(name, self.book.milestones, "milestone", ("value", "means", meaning))
        for phase in self.book.value.phases:
            for stage in phase.stages:
                self.known(stage, self.names("stages"), "stage", ("value", "phases", phase.name))

    def routes(self) -> None:
        receivers = self.names("receivers")
        if self.book.routes is not None:
            self._route(self.document.value.get("routes"), ("routes",), receivers)
        elif receivers:
            self.warn(("receivers",), "there are receivers and no routes, so nobody is told", "write routes: {...}")
        elif self.book.inhibitions:
            self.warn(("inhibit",), "there are no routes, so nothing is told or inhibited", "write routes: {...}")

    def _route(self, route: Any, path: Path, receivers: list[str]) -> None:
        if not isinstance(route, dict):
            return
        self.known(str(route.get("receiver") or ""), receivers, "receiver", (*path, "receiver"))
        for key in ("mute", "active"):
            written = route.get(key)
            for name in written if isinstance(written, list) else [written]:
                if isinstance(name, str):
                    self.calendar(name, (*path, key))
        for key in ("escalate", "routes"):
            written = route.get(key)
            for i, part in enumerate(written if isinstance(written, list) else []):
                self._route(part, (*path, key, i), receivers)

    def examples(self) -> None:
        rules = [*self.names("stages"), *self.names("findings")]
        for part in ("stages", "findings", "examples"):
            written = self.document.value.get(part)
            for i, item in enumerate(written if isinstance(written, list) else []):
                own = [item] if part == "examples" else item.get("examples") if isinstance(item, dict) else None
                for j, example in enumerate(own if isinstance(own, list) else []):
                    path: Path = (part, i) if part == "examples" else (part, i, "examples", j)
                    if isinstance(example, dict):
                        self._example(example, path, rules)

    def _example(self, example: dict[str, object], path: Path, rules: list[str]) -> None:
        given, expect = example.get("given"), example.get("expect")
        for i, event in enumerate(given if isinstance(given, list) else []):
            if not isinstance(event, dict):
                continue
            name = str(event.get("milestone") or "")
            for suffix in _SUFFIXES:
                name = name.removesuffix(suffix)
            self.milestone(name, (*path, "given", i, "milestone"))
            if (kind := event.get("from")) is not None:
                self.system(str(kind), (*path, "given", i, "from"))
        findings = expect.get("findings") if isinstance(expect, dict) else None
        for i, finding in enumerate(findings if isinstance(findings, list) else []):
            if isinstance(finding, dict):
                self.known(str(finding.get("rule") or ""), rules, "rule", (*path, "expect", "findings", i, "rule"))


def _on_or_below(object_type: str, per: str) -> bool:
    return object_type == per or is_above(per, object_type)


def _on_one_path(object_type: str, per: str) -> bool:
    return _on_or_below(object_type, per) or is_above(object_type, per)


def _a(object_type: str) -> str:
    return f"{'an' if object_type[0] in 'aeiou' else 'a'} {object_type}"


def _per_hint(end_object: str, start: Milestone | None) -> str:
    if start and _on_or_below(end_object, start.object):
        return f"write per: {start.object}"
    return f"write per: {end_object} or something above it"


def _conditions(when: When, attribute: str) -> list[Condition]:
    return [c for group in when.any_of for c in group if c.attribute == attribute]
