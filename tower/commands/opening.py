"""How every command that needs the store opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog

from tower.settings import Settings
from tower.store.client import Store
from tower.store.keys import Keys
from tower.store.migrate import migrate

log = structlog.get_logger("tower")


def now() -> datetime:
    """Return the moment, aware."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Store, Keys]]:
    """Open the store, bring it up to date and see to it that somebody may administer it."""
    store = Store(settings.clickhouse)
    try:
        applied = migrate(store)
        if applied:
            log.info("migrated", applied=applied)
        keys = Keys(store)
        token_file = keys.ensure_admin(settings)
        if token_file is not None:
            log.info("admin_token", file=str(token_file))
        yield store, keys
    finally:
        store.close()
