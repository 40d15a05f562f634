"""One message on its way to its mapping: each document is held against its contract, and looked at for drift."""

from __future__ import annotations

from typing import Any

import msgspec

from collector.contracts.contracts import Contracts
from collector.contracts.drift import Drift
from collector.decoders import Unit
from collector.mapping.model import MappingFile
from collector.raw.message import RawMessage
from collector.stats import Totals

_plain = msgspec.json.Decoder()
_UNREAD = object()


class Watch:
    """Asked for every document that a mapping knows, before it is read."""

    def __init__(self, contracts: Contracts, drift: Drift, totals: Totals, message: RawMessage, body: bytes) -> None:
        self._contracts, self._drift, self._totals = contracts, drift, totals
        self._message, self._body = message, body
        self._bound = contracts.any(message.connection)
        self._value: Any = _UNREAD

    def __call__(self, unit: Unit, mapping: MappingFile) -> str:
        """Return why a document breaks its contract, '' when it may be read."""
        message = self._message
        topic = message.topic or mapping.name
        due = self._drift.due(message.connection, topic)
        if not (due or self._bound):
            return ""
        document = self._document(unit, mapping)
        if due:
            self._drift.look(message, topic, document)
        if not self._bound:
            return ""
        fault = self._contracts.fault(message.connection, message.topic, mapping.name, document)
        self._totals.of(message.connection).contract += bool(fault)
        return fault

    def _document(self, unit: Unit, mapping: MappingFile) -> Any:
        """Return a document as JSON has it; decoders keep numbers with a fraction as text, so JSON is read anew."""
        if mapping.decode["format"] != "json":
            return unit.document
        if self._value is _UNREAD:
            try:
                self._value = _plain.decode(self._body)
            except msgspec.MsgspecError:  # a number beyond what a float holds
                self._value = None
        if self._value is None:
            return unit.document
        if unit.position == "$":
            return self._value
        return self._value[int(unit.position[2:-1])]
