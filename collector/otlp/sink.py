"""The end of a telemetry journal: the bodies of a block, joined, go to the engine, which parses them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from clickhouse_connect.driver.client import Client

from collector.otlp.line import Line, from_lines, joined, refused_line
from collector.otlp.signal import Signal
from collector.refused import refused_request
from collector.sink import Refused, Table, put


class BodySink:
    """Inserts the bodies of one signal. What the store will not take is kept as a quarantined event.

    commit: syncs lines in the journal of events. before: done once, before the first block. after: done with each
    block once its rows are stored, and again with a block that is repeated.
    """

    def __init__(
        self,
        signal: Signal,
        commit: Callable[[bytes], object],
        before: Callable[[], None] = lambda: None,
        after: Callable[[Client, list[Line]], None] = lambda _client, _lines: None,
        *,
        embedded: bool,
    ) -> None:
        self._signal = signal
        self._commit = commit
        self._before, self._after = before, after
        self._settings = signal.read_by(embedded=embedded)
        self.table = Table(signal.table, refused_line, linger=5)

    def prepare(self) -> None:
        """Do what is to be done before the first block."""
        self._before()

    def insert(self, client: Client, lines: bytes, token: str) -> None:
        """Insert the bodies of whole lines once. Raises Refused or Unavailable."""
        try:
            held = from_lines(lines)
        except msgspec.MsgspecError as error:
            raise Refused(f"no line of this journal: {error}") from None
        if held[0].refused:  # comes alone: Drain puts it in the place of the one line at fault
            kind = f"otlp.{self._signal.name}"
            self._commit(refused_request(kind, held[0].body, held[0].refused, datetime.now(UTC)))
            return
        put(client, self._signal.table, joined(held), "ProtobufSingle", token, self._settings)
        self._after(client, held)
