"""JMESPath, checked when a mapping is loaded and turned into plain Python functions.

Parsing, functions and the rarer forms are the jmespath library's own. The common forms (paths, filters, comparisons)
are put together as closures here, which answer the same and several times as fast; a test holds the two equal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import jmespath.exceptions
import jmespath.parser
import jmespath.visitor
from jmespath.functions import Functions

Read = Callable[[Any], Any]
Node = Any  # the library's syntax tree: {"type", "children", "value"}
# What the expressions of a mapping may start from.
ROOTS = ("headers", "query", "body", "meta")
# Where the root of one document keeps what was looked up in it; no expression can name it.
MEMO = "\0memo"
# Looking at so many members of lists takes about two seconds; a sound document of ten megabytes stays far below.
MAX_WORK = 5_000_000
SCOPED = ("item", "parent", "grandparent", "index")
_OF_A_ROUND = {"item", "index", "@"}

# What evaluating may raise: the library's own errors, and what its functions let through for values of a wrong kind.
Failed = (jmespath.exceptions.JMESPathError, TypeError, ValueError, AttributeError, ArithmeticError)
_interpreter = jmespath.visitor.TreeInterpreter()
_functions = Functions()
_PATHS = ("subexpression", "index_expression", "projection", "value_projection", "filter_projection")
_TABLE: dict[str, Any] = Functions.FUNCTION_TABLE


class _Work(threading.local):
    """What the document at hand may still cost, in members of lists that are looked at."""

    left = MAX_WORK


_work = _Work()


def begin_document() -> None:
    """Give the document that this thread reads next the whole of MAX_WORK."""
    _work.left = MAX_WORK


def spend(members: int) -> None:
    """Note that so many members of a list were looked at. Raises TooMuchWork once the document has cost MAX_WORK."""
    _work.left -= members
    if _work.left < 0:
        raise TooMuchWork(f"reading the document takes over {MAX_WORK} steps; send it in parts")


class TooMuchWork(ValueError):
    """A document whose reading would take the square of its length."""


class BadExpression(ValueError):
    """An expression that cannot be used, with a hint."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


@lru_cache(8192)
def parse(text: str) -> Node:
    """Return the syntax tree of an expression whose functions exist. Raises BadExpression."""
    try:
        tree = jmespath.parser.Parser().parse(text).parsed
    except jmespath.exceptions.JMESPathError as error:
        raise BadExpression(f"{text!r} is no JMESPath: {str(error).splitlines()[0]}", _quoting(text)) from None
    for node in walk(tree):
        if node["type"] in _PATHS and node["children"][0]["type"] == "not_expression":
            raise BadExpression(f"{text!r} negates only the first name of a path", "write !(a.b) for !a.b")
        if node["type"] == "function_expression":
            _check_call(node["value"], len(node["children"]))
    return tree


def _quoting(text: str) -> str:
    if '"' not in text and "'" not in text:
        return "names with other than letters, digits and _ stand in double quotes, texts in single ones"
    return "names stand in double quotes, texts in single ones, numbers and lists in backticks"


def _check_call(name: str, given: int) -> None:
    if name not in _TABLE:
        near = get_close_matches(name, _TABLE, n=1)
        raise BadExpression(
            f"there is no function {name}()", f"did you mean {near[0]}()?" if near else f"known are {', '.join(_TABLE)}"
        )
    signature = _TABLE[name]["signature"]
    many = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) if many else given != len(signature):
        least = "at least " if many else ""
        raise BadExpression(f"{name}() takes {least}{len(signature)} arguments, not {given}", "see jmespath.org")


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from walk(child)


def starts(node: Node) -> Iterator[str]:
    """Yield the names that an expression looks up in its root; '@' where it takes the root itself."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in ("current", "identity"):
        yield "@"
    elif kind in _PATHS or kind == "pipe":
        yield from starts(children[0])
    elif kind != "expref":
        for child in children:
            if isinstance(child, dict):
                yield from starts(child)


def ends(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield the path of names behind each value that an expression can give, as far as they are known."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield (node["value"],)
    elif kind in _PATHS or kind == "pipe":
        paths: list[tuple[str, ...]] = []
        for step in children[:2] if kind == "filter_projection" else children:
            tails = list(ends(step))
            paths = [(*head, *tail) for head in paths or [()] for tail in tails] or paths
        yield from paths
    elif kind not in ("comparator", "not_expression", "literal"):
        for child in children:
            if isinstance(child, dict):
                yield from ends(child)


def check_starts(text: str, known: set[str]) -> None:
    """Raise BadExpression if an expression starts from a name that does not exist where it stands."""
    for name in starts(parse(text)):
        if name == "@":
            raise BadExpression(f"{text!r} takes everything", f"start from {', '.join(sorted(known))}")
        if name not in known:
            hint = f"write body.{name}, or start from {', '.join(sorted(known))}"
            if name in SCOPED:
                hint = f"{name} exists inside a foreach only; here are {', '.join(sorted(known))}"
            if name in ("null", "true", "false"):
                hint = f"a constant stands in backticks: `{name}`"
            raise BadExpression(f"{text!r} starts from {name!r}", hint)


@lru_cache(8192)
def compile_expression(text: str) -> Read:
    """Return the function that evaluates an expression; it may raise one of Failed. Raises BadExpression.

    Where the root holds a dictionary under MEMO, what an expression looks up outside the item of a round is found once
    per document and not again in each of its rounds, which would make a long document take the square of its length.
    """
    return _compile_at_root(parse(text))


def _compile_at_root(node: Node) -> Read:
    """Compile an expression, or a part of one that starts from the same root."""
    kind, children = node["type"], node["children"]
    names = frozenset(starts(node))
    if not names or _is_plain(node):
        return _compile(node)
    if not names & _OF_A_ROUND:
        return _remembered(tuple(sorted(names)), _compile(node))
    if kind in ("subexpression", "index_expression", "pipe"):
        first, *further = _flat(node)
        return _in_turn((_compile_at_root(first), *map(_compile, further)))
    build = _FROM_PARTS.get(kind)
    if build is None or any(child["type"] == "expref" for child in children):
        return _compile(node)
    at_root = 1 if kind in ("projection", "filter_projection") else len(children)
    return build(node, *map(_compile_at_root, children[:at_root]), *map(_compile, children[at_root:]))


def _is_plain(node: Node) -> bool:
    """Return whether a path only follows names and places, which costs less than remembering it."""
    return all(step["type"] in ("field", "index") for step in _flat(node))


def _remembered(names: tuple[str, ...], read: Read) -> Read:
    def remembered(root: Any) -> Any:
        memo = root.get(MEMO)
        if memo is None:
            return read(root)
        start = [root.get(name) for name in names]
        key = (read, *map(id, start))
        known = memo.get(key)
        if known is None:
            # The start is kept as well: its ids are its own only as long as it lives.
            known = memo[key] = (start, read(root))
        return known[1]

    return remembered


def _compile(node: Node) -> Read:
    build = _BUILD.get(node["type"])
    if build is None:
        return lambda value: _interpreter.visit(node, value)
    return build(node)


def _field(node: Node) -> Read:
    name = node["value"]
    return lambda value: value.get(name) if type(value) is dict else None


def _chain(node: Node) -> Read:
    steps = _flat(node)
    if all(step["type"] == "field" for step in steps):
        names = tuple(step["value"] for step in steps)

        def path(value: Any) -> Any:
            for name in names:
                if type(value) is not dict:
                    return None
                value = value.get(name)
            return value

        return path
    return _in_turn(tuple(map(_compile, steps)))


def _in_turn(reads: tuple[Read, ...]) -> Read:
    def chain(value: Any) -> Any:
        for read in reads:
            value = read(value)
        return value

    return chain


def _flat(node: Node) -> list[Node]:
    if node["type"] not in ("subexpression", "index_expression", "pipe"):
        return [node]
    return [step for child in node["children"] for step in _flat(child)]


def _index(node: Node) -> Read:
    at = node["value"]

    def index(value: Any) -> Any:
        if type(value) is not list:
            return None
        try:
            return value[at]
        except IndexError:
            return None

    return index


def _same(_node: Node) -> Read:
    return lambda value: value


def _literal(node: Node) -> Read:
    constant = node["value"]
    return lambda _value: constant


def _is_false(value: Any) -> bool:
    return value is None or value is False or (not value and type(value) in (str, list, dict))


def _or(node: Node) -> Read:
    return _either(node, *map(_compile, node["children"]))


def _either(_node: Node, left: Read, right: Read) -> Read:
    def either(value: Any) -> Any:
        found = left(value)
        return right(value) if _is_false(found) else found

    return either


def _and(node: Node) -> Read:
    return _both(node, *map(_compile, node["children"]))


def _both(_node: Node, left: Read, right: Read) -> Read:
    def both(value: Any) -> Any:
        found = left(value)
        return found if _is_false(found) else right(value)

    return both


def _not(node: Node) -> Read:
    (inner,) = map(_compile, node["children"])

    def negated(value: Any) -> Any:
        found = inner(value)
        return False if type(found) is int else _is_false(found)

    return negated


def _comparator(node: Node) -> Read:
    if node["value"] not in ("eq", "ne"):
        return lambda value: _interpreter.visit(node, value)
    left, right = map(_compile, node["children"])
    compare: Callable[[Any, Any], bool] = _interpreter.COMPARATOR_FUNC[node["value"]]
    equal = node["value"] == "eq"

    def compared(value: Any) -> Any:
        one, other = left(value), right(value)
        if type(one) is str and type(other) is str:
            return (one == other) is equal
        return compare(one, other)

    return compared


def _projection(node: Node) -> Read:
    return _projected(node, *map(_compile, node["children"]))


def _projected(_node: Node, left: Read, right: Read) -> Read:
    def projected(value: Any) -> Any:
        base = left(value)
        if type(base) is not list:
            return None
        spend(len(base))
        return [found for element in base if (found := right(element)) is not None]

    return projected


def _filter(node: Node) -> Read:
    return _filtered(node, *map(_compile, node["children"]))


def _filtered(_node: Node, left: Read, right: Read, condition: Read) -> Read:
    def filtered(value: Any) -> Any:
        base = left(value)
        if type(base) is not list:
            return None
        spend(len(base))
        return [
            found for element in base if not _is_false(condition(element)) and (found := right(element)) is not None
        ]

    return filtered


def _flatten(node: Node) -> Read:
    return _flattened(node, *map(_compile, node["children"]))


def _flattened(_node: Node, inner: Read) -> Read:
    def flattened(value: Any) -> Any:
        base = inner(value)
        if type(base) is not list:
            return None
        merged: list[Any] = []
        for element in base:
            if type(element) is list:
                merged += element
            else:
                merged.append(element)
        spend(len(merged))
        return merged

    return flattened


def _list(node: Node) -> Read:
    return _listed(node, *map(_compile, node["children"]))


def _listed(_node: Node, *reads: Read) -> Read:
    return lambda value: None if value is None else [read(value) for read in reads]


def _call(node: Node) -> Read:
    children = node["children"]
    if any(child["type"] == "expref" for child in children):
        return lambda value: _interpreter.visit(node, value)
    return _called(node, *map(_compile, children))


def _called(node: Node, *reads: Read) -> Read:
    name, children = node["value"], node["children"]
    plain = _plain_types(_TABLE[name]["signature"], len(children))
    function = _TABLE[name]["function"]
    if plain is None:
        return lambda value: _functions.call_function(name, [read(value) for read in reads])

    def call(value: Any) -> Any:
        given = [read(value) for read in reads]
        for argument, types in zip(given, plain, strict=True):
            if type(argument) is list:
                spend(len(argument))
            if types and type(argument) not in types:
                return _functions.call_function(name, given)  # raises the library's own error
        return function(_functions, *given)

    return call


def _plain_types(signature: Any, given: int) -> list[frozenset[type]] | None:
    """Return which Python types each argument may have, empty for any; None where the types of members matter."""
    found = []
    for i in range(given):
        names = signature[min(i, len(signature) - 1)]["types"]
        if any(name not in _TYPES for name in names):
            return None
        found.append(frozenset(kind for name in names for kind in _TYPES[name]))
    return found


_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
    "string": (str,),
    "number": (int, float),
}


# The forms that are put together from parts of which some start from the root again.
_FROM_PARTS: dict[str, Callable[..., Read]] = {
    "or_expression": _either,
    "and_expression": _both,
    "projection": _projected,
    "filter_projection": _filtered,
    "flatten": _flattened,
    "multi_select_list": _listed,
    "function_expression": _called,
}
_BUILD: dict[str, Callable[[Node], Read]] = {
    "field": _field,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "current": _same,
    "identity": _same,
    "literal": _literal,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "projection": _projection,
    "filter_projection": _filter,
    "flatten": _flatten,
    "multi_select_list": _list,
    "function_expression": _call,
}
