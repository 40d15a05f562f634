"""`foreach`: the rounds of an emit or of an object, and what the expressions of each round start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collector.mapping.errors import failed
from collector.mapping.expression import TooMuchWork, spend
from collector.mapping.model import Root, Value
from collector.mapping.transforms import Surroundings

# What a round costs, in members of lists that are looked at: two loops inside each other multiply.
ROUND = 20


def rounds(loops: Sequence[Value], root: Root, around: Surroundings) -> Iterator[Root]:
    """Yield the root of each round, the root itself where there is no loop; one object counts as a list of one.

    Raises MappingFailed.
    """
    if not loops:
        yield root
        return
    values = loops[0].get(root, around)
    items = values if isinstance(values, list) else [] if values is None else [values]
    try:
        spend(ROUND * len(items))
    except TooMuchWork as error:
        raise failed(loops[0].key, loops[0].expression, str(error)) from None
    for index, item in enumerate(items):
        inner = {**root, "item": item, "index": index}
        if "item" in root:
            inner["parent"] = root["item"]
        if "parent" in root:
            inner["grandparent"] = root["parent"]
        yield from rounds(loops[1:], inner, around)
