"""XML as dictionaries, with every construct that reaches outside the document or grows it refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from collector.decoders.options import known, names
from collector.decoders.unit import Undecodable, Unit

_MAX_ATTRIBUTES = 256  # of one element; reading them is quadratic in their number
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec, "lists")
    names(spec, "lists")


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield one document, `{root name: content}`. Raises Undecodable."""
    # huge_tree off keeps libxml2's own caps: depth 256, 10 MB a text, entity growth.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        foreign = b"<" not in body[:8]
        raise Undecodable(f"this is no XML: {error.msg}", f"line {line}, column {column}", foreign=foreign) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Undecodable("it has a DOCTYPE; documents with one are refused", "line 1")
    yield Unit({_local(str(root.tag)): _content(root, frozenset(names(spec, "lists")))}, f"line {root.sourceline}")


def _content(element: etree._Element, lists: frozenset[str]) -> dict[str, Any] | str | None:
    """Return the text of a plain leaf, null of one that says nil, a dict of anything else."""
    attributes = element.attrib
    if not len(element) and not attributes:
        return (element.text or "").strip()
    if len(attributes) > _MAX_ATTRIBUTES:
        raise Undecodable(f"an element has more than {_MAX_ATTRIBUTES} attributes", f"line {element.sourceline}")
    if attributes.get(_NIL) in ("true", "1"):
        return None
    found: dict[str, Any] = {f"@{_local(str(name))}": value for name, value in attributes.items()}
    texts = [element.text]
    for child in element:
        name = _local(str(child.tag))
        value = _content(child, lists)
        texts.append(child.tail)
        if name not in found:
            found[name] = [value] if name in lists else value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    if text := " ".join(kept for part in texts if part and (kept := part.strip())):
        found["#text"] = text
    return found


def _local(name: str) -> str:
    return name.rpartition("}")[2]
