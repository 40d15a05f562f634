"""Documents of native messages to events, as mapping files say: declarative YAML with JMESPath.

A message is decoded (collector.decoders), the first mapping of its connection's set that matches is taken, and each of
its `emit` entries gives events in the form of the public events door. Nothing here reads or writes anything but the
mapping files. docs/connections/mappings.md is the reference for authors.
"""

from __future__ import annotations

from collector.mapping.apply import TIME_FIELDS, apply
from collector.mapping.context import Context
from collector.mapping.errors import MappingFailed, MappingsError
from collector.mapping.mapping_set import SHIPPED, MappingSet, Outcome, System, load_mappings, structured
from collector.mapping.model import Mapped, MappingFile

__all__ = [
    "SHIPPED",
    "TIME_FIELDS",
    "Context",
    "Mapped",
    "MappingFailed",
    "MappingFile",
    "MappingSet",
    "MappingsError",
    "Outcome",
    "System",
    "apply",
    "load_mappings",
    "structured",
]
