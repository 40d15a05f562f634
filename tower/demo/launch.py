"""`tower demo`: the tower, the simulated middleware and the dashboards, each a process, on free ports.

Everything is made afresh: keys, secrets, rulebook, and a data folder that is thrown away unless one is named.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tower.demo.book import write_book, write_connections
from tower.demo.children import Children

START_S = 60.0
HISTORY = timedelta(minutes=4)  # the past that the middleware begins with
LOOPBACK = "127.0.0.1"


class DemoError(RuntimeError):
    """The demo cannot start or go on; the message says why and where to read on."""


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """What a person may choose. A port that is taken is replaced by a free one."""

    data_dir: Path | None = None
    port: int = 8080
    dashboards_port: int = 8501
    middleware_port: int = 9000
    seed: int = 7
    orders_per_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is and how to get in."""

    tower: str
    dashboards: str
    middleware: str
    operator_key: str
    admin_key: str
    data_dir: Path
    logs: Path


@contextmanager
def started(config: DemoConfig, tell: Callable[[str], None]) -> Iterator[tuple[Addresses, Children]]:
    """Start everything and hold it; on leaving all is stopped and a folder of our own making is removed."""
    folder = config.data_dir or Path(tempfile.mkdtemp(prefix="tower-demo-"))
    children = Children(folder / "logs")
    try:
        yield _start(config, folder, children, tell), children
    finally:
        tell("stopping ...")
        children.stop()
        if config.data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def _start(config: DemoConfig, folder: Path, children: Children, tell: Callable[[str], None]) -> Addresses:
    folder.mkdir(parents=True, exist_ok=True)
    port, dashboards_port, middleware_port = (
        free_port(p) for p in (config.port, config.dashboards_port, config.middleware_port)
    )
    at = Addresses(
        tower=f"http://{LOOPBACK}:{port}",
        dashboards=f"http://{LOOPBACK}:{dashboards_port}",
        middleware=f"http://{LOOPBACK}:{middleware_port}",
        operator_key="",
        admin_key="demo-" + secrets.token_urlsafe(24),
        data_dir=folder / "data",
        logs=folder / "logs",
    )
    secret = secrets.token_urlsafe(24)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOWER_", "OTEL_", "STREAMLIT_"))}
    clean["PYTHONUNBUFFERED"] = "1"
    tower = {
        "TOWER_DATA_DIR": str(at.data_dir),
        "TOWER_HOST": LOOPBACK,
        "TOWER_PORT": str(port),
        "TOWER_BOOK": str(write_book(folder / "book", at.middleware)),
        "TOWER_CONNECTIONS": str(write_connections(folder / "connections.yaml")),
        "TOWER_ADMIN_TOKEN": at.admin_key,
        "TOWER_PUBLIC_URL": at.dashboards,
        "TOWER_SECRET_MIDDLEWARE": secret,
    }
    tell("starting the tower ...")
    children.start("tower", [sys.executable, "-m", "tower", "run"], {**clean, **tower})
    _wait(children, f"{at.tower}/readyz", "the tower")
    operator_key = make_key(at, "demo-operator", ["operator"], [])
    sender_key = make_key(at, "demo-middleware", ["viewer"], ["*"])

    tell("starting the middleware ...")
    began = datetime.now(UTC)
    token_file, secret_file = folder / "middleware-token", folder / "middleware-secret"
    write_secret(token_file, sender_key)
    write_secret(secret_file, secret)
    command = [sys.executable, "-m", "tower.demo", "--tower", at.tower, "--port", str(middleware_port)]
    command += ["--token-file", str(token_file), "--secret-file", str(secret_file)]
    command += ["--history-s", str(HISTORY.total_seconds())]
    shift_file = folder / "shift-token"
    write_secret(shift_file, make_key(at, "demo-shift", ["operator"], []))
    command += ["--shift-token-file", str(shift_file)]
    command += ["--seed", str(config.seed), "--rate", str(config.orders_per_s)]
    children.start("middleware", command, clean)
    _wait(children, f"{at.middleware}/healthz", "the middleware")

    tell("starting the dashboards ...")
    dashboards = {
        "TOWER_API_URL": at.tower,
        "TOWER_DASH_HOST": LOOPBACK,
        "TOWER_DASH_PORT": str(dashboards_port),
        "TOWER_DASH_KEY": operator_key,
    }
    children.start("dashboards", [sys.executable, "-m", "dashboards"], {**clean, **dashboards})
    _wait(children, f"{at.dashboards}/healthz", "the dashboards")
    lock_baseline(at, began)
    return Addresses(at.tower, at.dashboards, at.middleware, operator_key, at.admin_key, at.data_dir, at.logs)


def free_port(wanted: int) -> int:
    """Return the wanted port of the loopback address, or a free one where it is taken."""
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port on 127.0.0.1")


def make_key(at: Addresses, name: str, roles: list[str], connections: list[str]) -> str:
    """Have the tower make a key and return its token; one of the same name from an earlier run is replaced."""
    headers = {"Authorization": f"Bearer {at.admin_key}"}
    with httpx.Client(base_url=at.tower, headers=headers, timeout=30, trust_env=False) as client:
        client.delete(f"/v1/keys/{name}")
        reply = client.post("/v1/keys", json={"name": name, "roles": roles, "connections": connections})
    if reply.is_error:
        raise DemoError(f"the tower made no key for {name}: {reply.text[:300]}")
    return str(reply.json()["token"])


def lock_baseline(at: Addresses, began: datetime) -> None:
    """Have the figures of the past that the demo begins with locked, as soon as all of it has been told.

    One that an earlier run left in a kept data folder stays. Without one the page says that there is none.
    """
    headers = {"Authorization": f"Bearer {at.admin_key}"}
    window = {"from": (began - HISTORY).isoformat(), "to": began.isoformat(), "reason": "the minutes before the demo"}
    deadline = time.monotonic() + START_S
    with httpx.Client(headers=headers, timeout=30, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                told = client.get(f"{at.middleware}/healthz").json()
                judged = client.get(f"{at.tower}/healthz").json()
                if told["sent"] and not told["waiting"] and not judged.get("backlog_bytes"):
                    locked = client.post(f"{at.tower}/v1/roi/baseline", json=window)
                    if locked.is_success or locked.json()["code"] == "baseline_locked":
                        return
            except (httpx.TransportError, ValueError, KeyError):
                pass  # not there yet, or busy; asked again
            time.sleep(1)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _wait(children: Children, url: str, what: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        ended = children.ended()
        if ended is not None:
            raise DemoError(
                f"the {ended.name} stopped with code {ended.process.returncode}:\n{tail(children, ended.name)}"
            )
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise DemoError(f"{what} did not answer at {url} within {START_S:.0f} s")


def tail(children: Children, name: str, lines: int = 12) -> str:
    """Return the last lines of a child's log."""
    return "\n".join(children.log(name).read_text(errors="replace").splitlines()[-lines:])
