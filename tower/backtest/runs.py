"""Backtests that somebody asked a running tower for: one at a time, watched and cancelled from outside."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from tower.backtest.outcome import Outcome
from tower.backtest.run import Cancelled, Progress

log = structlog.get_logger(__name__)
_KEPT = 20


@dataclass
class Run:
    """One backtest. state: running, done, cancelled or failed; doing: what the figures done and of count."""

    asked_by: str
    asked_at: datetime
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = "running"
    doing: str = ""
    done: int = 0
    of: int = 0
    error: str = ""
    outcome: Outcome | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    unwanted: threading.Event = field(default_factory=threading.Event)

    def tell(self, what: str, done: int, of: int) -> None:
        """Take note of progress. Raises Cancelled when nobody wants the outcome any more."""
        self.doing, self.done, self.of = what, done, of
        if self.unwanted.is_set():
            raise Cancelled


class Runs:
    """The last backtests, of which one at most is running."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def start(self, asked_by: str, now: datetime, work: Callable[[Progress], Outcome]) -> Run | None:
        """Begin a backtest and return it; None while another one is running."""
        with self._lock:
            if any(run.state == "running" for run in self._runs.values()):
                return None
            run = Run(asked_by, now)
            self._runs[run.id] = run
            while len(self._runs) > _KEPT:
                del self._runs[next(iter(self._runs))]
        threading.Thread(target=_work, args=(run, work), name=f"backtest-{run.id}", daemon=True).start()
        return run

    def get(self, run_id: str) -> Run | None:
        """Return a backtest of late; None when it was never asked for or is forgotten."""
        return self._runs.get(run_id)

    def running(self) -> Run | None:
        """Return the backtest that is under way."""
        with self._lock:
            return next((run for run in self._runs.values() if run.state == "running"), None)


def _work(run: Run, work: Callable[[Progress], Outcome]) -> None:
    try:
        run.outcome = work(run.tell)
        run.state = "done"
    except Cancelled:
        run.state = "cancelled"
    except Exception as error:  # noqa: BLE001 - the edge of one run: told to whoever asked, and logged with its id
        run.error = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        run.state = "failed"
        log.error("backtest failed", backtest=run.id, error=run.error)
    finally:
        run.ended.set()
