"""A real HTTP target on a free port of the loopback that remembers what it was sent and answers as told."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def key(self) -> str:
        """Its Idempotency-Key."""
        return self.headers.get("idempotency-key", "")


@dataclass
class Reply:
    """One answer to give."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def _body(text: bytes, headers: dict[str, str]) -> Any:
    """Return what was sent: JSON as a value, a form as a mapping."""
    if headers.get("content-type") == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text.decode()))
    return json.loads(text) if text else None


class TargetStub:
    """Answers each request with the next planned reply, the last one for ever."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.plan: list[Reply] = [Reply()]
        self.by_path: dict[str, list[Reply]] = {}  # plans of their own
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                headers = {k.lower(): v for k, v in self.headers.items()}
                with stub._lock:
                    stub.heard.append(Heard(self.command, self.path, headers, _body(text, headers)))
                    reply = stub.reply_to(self.path)
                time.sleep(reply.delay_s)
                body = reply.body.replace("$echo", headers.get("authorization", "")).encode()
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(b"" if self.command == "HEAD" else body)
                except OSError:
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_PATCH = do_POST  # noqa: N815 - the names http.server calls

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def reply_to(self, path: str) -> Reply:
        """Return the next planned reply, the last one for ever."""
        plan = self.by_path.get(path, self.plan)
        return plan.pop(0) if len(plan) > 1 else plan[0]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
