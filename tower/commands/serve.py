"""`tower run` and `tower collect`: build everything, serve it, and stop in the right order."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from collector.collector import Collector
from rules.parse import SHIPPED, load_book
from tower import telemetry
from tower.alerts.links import Links
from tower.api.app import create_app
from tower.api.context import ApiContext
from tower.commands.alerts_door import alert_routes
from tower.commands.doors import create_doors
from tower.commands.hold import bind, hold_folder
from tower.commands.keys_door import key_routes
from tower.commands.letters_door import letter_routes
from tower.commands.links_door import link_routes
from tower.commands.opening import now, opened
from tower.commands.quarantine_door import quarantine_routes
from tower.commands.raw_door import raw_routes
from tower.commands.replay_door import replay_routes
from tower.commands.roi_door import roi_routes
from tower.commands.subscriptions_door import subscription_routes
from tower.engine.engine import Engine
from tower.model.connections import load_connections
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.retention import Retention
from tower.store.seal import load_keys
from tower.value.keeper import Keeper

STOP_S = 5  # how long open requests may take to finish
log = structlog.get_logger("tower")


def serve(settings: Settings, *, doors_only: bool = False) -> None:
    """Run until SIGTERM or SIGINT.

    Raises before anything is served when it cannot start: Stop (port, data folder), StoreError, RulebookError,
    ConnectionsError, SecretError.
    """
    telemetry.configure(settings)
    # Decoding holds the interpreter; a shorter turn lets the loop and the drain in between sooner.
    sys.setswitchinterval(0.001)
    stopping = Stopping()
    with hold_folder(settings.data_dir), ExitStack() as ours:
        sockets = [ours.enter_context(bind(settings.host, settings.port, "TOWER_PORT"))]
        if settings.otlp_port is not None:
            sockets.append(ours.enter_context(bind(settings.host, settings.otlp_port, "TOWER_OTLP_PORT")))
        with doors(settings) if doors_only else tower(settings) as app:
            server = stopping.server = uvicorn.Server(_uvicorn(app))
            if not stopping.asked:
                ports = [s.getsockname()[1] for s in sockets]
                log.info("listening", host=settings.host, ports=ports, doors_only=doors_only, pid=os.getpid())
                # What is loaded by now stays for good: the collector need not look at it again with every thousand
                # events, which took a tenth of the decoding.
                gc.collect()
                gc.freeze()
                server.run(sockets=sockets)
            log.info("stopping")
    telemetry.shutdown()
    log.info("stopped")


class Stopping:
    """Turns SIGTERM and SIGINT into an orderly end, also while things are still being built."""

    def __init__(self) -> None:
        self.asked = False
        self.server: uvicorn.Server | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self.server is not None:
            self.server.should_exit = True


@contextmanager
def tower(settings: Settings) -> Iterator[ASGIApp]:
    """Build the whole tower; on leaving, the doors close first, then the engine, then the store."""
    connections = load_connections(settings.connections)
    secrets = Secrets(os.environ, settings.secrets_dir)
    load_book(settings.book or SHIPPED)  # a broken one is told before the store is opened
    with opened(settings) as (store, keys):
        progress = Progress()
        engine = Engine(store, settings, connections, secrets, progress, now)
        collector = Collector(
            settings,
            store,
            connections,
            keys.authenticate,
            lambda: frozenset(engine.book.milestones),
            progress,
            now,
            secrets,
        )
        context = ApiContext(
            settings=settings,
            store=store,
            connections=connections,
            book=lambda: engine.book,
            authenticate=keys.authenticate,
            progress=progress,
            engine_health=engine.health,
            collector_stats=collector.stats,
            clock=now,
            record=engine.record,
        )
        links = Links(load_keys(settings, secrets), settings.public_url or "")
        routes = [
            *collector.routes(),
            *key_routes(keys, engine.record),
            *alert_routes(context, engine.record),
            *quarantine_routes(store, collector.again, engine.record),
            *replay_routes(store, collector.again, engine.record),
            *raw_routes(collector.again, collector.drift, engine.record),
            *link_routes(collector.say_link, progress, engine.record),
            *roi_routes(context, engine.record),
            *letter_routes(context, links, engine.record),  # before subscriptions: their paths are the longer ones
            *subscription_routes(context, keys, links, engine.record),
        ]
        app = create_app(context, routes)
        retention = Retention(store, settings.raw_days, now)
        keeper = Keeper(store, lambda: engine.book, connections.kinds, now)
        engine.start()
        collector.start()
        retention.start()
        keeper.start()
        try:
            yield app
        finally:
            collector.stop()
            retention.stop()
            keeper.stop()
            engine.stop()


@contextmanager
def doors(settings: Settings) -> Iterator[ASGIApp]:
    """Build a collector alone; its events are judged by the tower on the same store."""
    connections = load_connections(settings.connections)
    secrets = Secrets(os.environ, settings.secrets_dir)
    milestones = frozenset(load_book(settings.book or SHIPPED).milestones)
    with opened(settings) as (store, keys):
        collector = Collector(
            settings, store, connections, keys.authenticate, lambda: milestones, Progress(), now, secrets
        )  # fmt: skip
        collector.start()
        try:
            yield create_doors(collector.routes(), collector.stats)
        finally:
            collector.stop()


def _uvicorn(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
