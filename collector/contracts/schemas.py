"""JSON Schemas beside the mappings: files `<name>@<version>.schema.json` in the folder of a set, of the draft 2020-12.

A schema is whole in itself: nothing is fetched for a `$ref` that leads elsewhere, so such a schema is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from rules.errors import Problem

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SUFFIX = ".schema.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[0-9]+\Z")
_MASK = "the value"
_MOST_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Schema:
    """One version of one schema. text is the file as it is served."""

    name: str
    text: bytes
    validator: jsonschema_rs.Draft202012Validator

    def fault(self, document: Any) -> str:
        """Return what is wrong with a document, '' when it fits. No value of the document is told, only places."""
        if self.validator.is_valid(document):
            return ""
        told = [f"{_dotted(error.instance_path)}: {error.message}" for error in self._errors(document)]
        return "; ".join(told)

    def _errors(self, document: Any) -> list[jsonschema_rs.ValidationError]:
        found = []
        for error in self.validator.iter_errors(document):
            found.append(error)
            if len(found) == _MOST_ERRORS:
                break
        return found


def read_schemas(folders: Sequence[Path]) -> tuple[Mapping[str, Schema], list[Problem]]:
    """Return the schemas of all sets of some folders by name@version, a later folder's first, and what is wrong."""
    found: dict[str, Schema] = {}
    problems: list[Problem] = []
    for path in (p for folder in folders for p in sorted(folder.glob(f"*/*{_SUFFIX}"))):
        name, where = path.name.removesuffix(_SUFFIX), f"{path.parent.name}/{path.name}"
        if not _NAME.match(name):
            problems.append(Problem(f"{name!r} is no name@version", f"name it like order@2{_SUFFIX}", "", where, 1))
            continue
        try:
            text = path.read_bytes()
            found[name] = Schema(name, text, _validator(text))
        except (OSError, ValueError, jsonschema_rs.ReferencingError) as error:
            problems.append(Problem(str(error).splitlines()[0], f"write a JSON Schema of {DRAFT}", "", where, 1))
    return found, problems


def _validator(text: bytes) -> jsonschema_rs.Draft202012Validator:
    document = msgspec.json.decode(text)
    if not isinstance(document, dict) or document.get("$schema") != DRAFT:
        raise ValueError(f"$schema is not {DRAFT}")
    jsonschema_rs.meta.validate(document)
    return jsonschema_rs.Draft202012Validator(document, mask=_MASK, retriever=_nothing)


def _nothing(uri: str) -> Any:
    raise ValueError(f"{uri} lies outside the schema, and nothing is fetched")


def _dotted(path: Sequence[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
