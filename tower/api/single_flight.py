"""One query for many viewers: callers that ask the same within a moment share one answer.

The key holds how far the engine has come, so an answer is never older than the last tick or the last click; the
time limit bounds it where the engine runs in another process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Answers by key, kept for ttl_s. A failed computation is told to those who wait and then forgotten."""

    def __init__(self, ttl_s: float, size: int = 64) -> None:
        self._ttl_s = ttl_s
        self._size = size
        self._lock = threading.Lock()
        self._answers: dict[Hashable, tuple[float, Future[T]]] = {}
        self.computed = 0

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the answer for key, computed by the first caller while the others wait for it."""
        now = time.monotonic()
        with self._lock:
            entry = self._answers.get(key)
            mine = entry is None or entry[0] <= now
            if entry is None or mine:
                self._forget(now)
                future: Future[T] = Future()
                self._answers[key] = (now + self._ttl_s, future)
                self.computed += 1
            else:
                future = entry[1]
        if mine:
            try:
                future.set_result(compute())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()

    def _forget(self, now: float) -> None:
        for key in [k for k, (until, future) in self._answers.items() if until <= now and future.done()]:
            del self._answers[key]
        while len(self._answers) >= self._size:
            del self._answers[next(iter(self._answers))]
