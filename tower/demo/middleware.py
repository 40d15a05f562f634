"""The simulated middleware: a process of its own that speaks only HTTP to the tower.

It lets the world of tower/demo/scenario.py run in real time, sends what its systems say, and offers
`POST /retry/{order_id}` to the tower's actions, honouring Idempotency-Key, and `POST /alerts` to its signed notices.
`POST /feeds/{connection}/stop` lets one of its systems fall silent, `start` lets it speak again;
`POST /systems/{connection}/break` lets one fail at all that comes to it, `mend` lets it work again.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tower.demo.catalog import SOURCES
from tower.demo.scenario import Answer, World
from tower.demo.sender import Sender
from tower.demo.shift import Shift
from tower.demo.tracing import Spans

STEP_S = 0.25
KEPT_ANSWERS = 20_000
KEPT_ALERTS = 1_000
MAX_WAITING = 20_000  # the world stands still while the tower does not listen


@dataclass(frozen=True, slots=True)
class MiddlewareConfig:
    """What the process is started with. secret is what the tower shows at the retry door."""

    tower_url: str
    token: str
    secret: str
    seed: int = 7
    orders_per_s: float = 2.0
    history: timedelta = timedelta(minutes=5)
    shift_token: str = ""  # key of the colleague who retries some of the stuck orders; nobody does without


class Retries:
    """The retry door: one answer per Idempotency-Key, however often it is asked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def ask(self, order_id: str, key: str, now: datetime) -> Answer:
        """Return the answer, the remembered one where the key was seen before."""
        known = self._answers.get(key)
        if known is not None:
            return known
        answer = self._world.retry(order_id, now)
        if answer.status >= 500:
            return answer  # nothing was done, so the same key may be tried again
        self._answers[key] = answer
        if len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        return answer


def create_middleware(config: MiddlewareConfig, clock: Callable[[], datetime]) -> Starlette:
    """Return the application; its world starts when it is served."""
    start = clock()
    # Numbers rise from run to run, so that a kept data folder never sees one order twice.
    first = int(start.timestamp()) % 100_000_000 // 4 * 10
    world = World(config.seed, start, config.orders_per_s, first)
    retries = Retries(world)
    alerts: OrderedDict[str, object] = OrderedDict()  # by their webhook-id: one that comes twice is one

    async def retry(request: Request) -> Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {config.secret}".encode()):
            return JSONResponse({"error": "wrong or missing token"}, 401)
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return JSONResponse({"error": "Idempotency-Key is missing"}, 400)
        answer = retries.ask(request.path_params["order_id"], key, clock())
        return JSONResponse({"result": answer.result, "detail": answer.detail}, answer.status)

    async def take_alert(request: Request) -> Response:
        body = await request.body()
        try:
            told = Webhook(base64.b64encode(config.secret.encode()).decode()).verify(body, dict(request.headers))
        except WebhookVerificationError:
            return JSONResponse({"error": "wrong or missing signature"}, 401)
        alerts[request.headers["webhook-id"]] = told
        if len(alerts) > KEPT_ALERTS:
            alerts.popitem(last=False)
        return Response(status_code=204)

    async def taken_alerts(_: Request) -> Response:
        return JSONResponse({"alerts": list(reversed(alerts.values()))})

    async def feed(request: Request) -> Response:
        name, act = request.path_params["connection"], request.path_params["act"]
        if name not in SOURCES or act not in ("stop", "start"):
            return JSONResponse({"error": f"write /feeds/NAME/stop or start; names are {', '.join(SOURCES)}"}, 404)
        if act == "stop":
            world.stop(name)
            return JSONResponse({"connection": name, "speaks": False})
        return JSONResponse({"connection": name, "speaks": True, "sent": world.speak(name, clock())})

    async def system(request: Request) -> Response:
        name, act = request.path_params["connection"], request.path_params["act"]
        if name not in SOURCES or act not in ("break", "mend"):
            return JSONResponse({"error": f"write /systems/NAME/break or mend; names are {', '.join(SOURCES)}"}, 404)
        (world.break_system if act == "break" else world.mend_system)(name)
        return JSONResponse({"connection": name, "answers": act == "mend"})

    async def feeds(_: Request) -> Response:
        held = {name: world.held(name) for name in SOURCES}
        return JSONResponse(
            {"feeds": [{"connection": n, "speaks": h is None, "held": h or 0} for n, h in held.items()]}
        )

    async def health(_: Request) -> Response:
        return JSONResponse(
            {"running": world.running, "standing": world.standing, "waiting": sender.waiting, "sent": sender.sent}
        )

    headers = {"Authorization": f"Bearer {config.token}"}
    client = httpx.AsyncClient(base_url=config.tower_url, headers=headers, timeout=30, trust_env=False)
    sender = Sender(client)
    own = {"Authorization": f"Bearer {config.shift_token}"}
    colleague = httpx.AsyncClient(base_url=config.tower_url, headers=own, timeout=30, trust_env=False)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        spans = Spans(config.tower_url, config.token)
        tasks = [asyncio.create_task(_live(world, sender, spans, start - config.history, clock))]
        if config.shift_token:
            tasks.append(asyncio.create_task(Shift(colleague).run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await client.aclose()
            await colleague.aclose()
            await asyncio.to_thread(spans.close)

    routes = [
        Route("/retry/{order_id}", retry, methods=["POST"]),
        Route("/alerts", take_alert, methods=["POST"]),
        Route("/alerts", taken_alerts),
        Route("/feeds", feeds),
        Route("/feeds/{connection}/{act}", feed, methods=["POST"]),
        Route("/systems/{connection}/{act}", system, methods=["POST"]),
        Route("/healthz", health),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _live(world: World, sender: Sender, spans: Spans, since: datetime, clock: Callable[[], datetime]) -> None:
    """First the past in one go, then the present step by step."""
    world.open(since)
    while True:
        if sender.waiting < MAX_WAITING:
            sender.put(world.advance(clock()))
            spans.record(a for a in world.attempts() if world.runs(a.order_id))
        await sender.drain()
        await asyncio.sleep(STEP_S)
