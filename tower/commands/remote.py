"""The command line as a client of a running tower: where it is, with which key, and what a refusal says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer

from tower.commands.plainly import Stop
from tower.model.trust import trust
from tower.settings import Settings

Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="TOWER_URL", help="Address of the running tower; default from TOWER_HOST and TOWER_PORT."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="TOWER_TOKEN", help="Key to use; default is the administrator's of the data folder."
    ),
]


@dataclass(frozen=True, slots=True)
class Remote:
    """One tower, spoken to over HTTP."""

    url: str
    token: str | None

    @classmethod
    def find(cls, settings: Settings, url: str | None, token: str | None) -> Remote:
        """Return the tower that flags, settings and the data folder point to."""
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104  # compares, binds nothing
        kept = settings.data_dir / "admin-token"
        if token is None:
            token = settings.admin_token
        if token is None:
            try:
                token = kept.read_text().strip()
            except OSError:
                token = None
        return cls((url or f"http://{host}:{settings.port}").rstrip("/"), token)

    def client(self, timeout_s: float = 30) -> httpx.Client:
        """Return a client that shows the key. Proxies of the environment are not used."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False, verify=trust())

    def answers(self) -> bool:
        """Return whether a tower is there."""
        try:
            with self.client(2) as client:
                return client.get("/healthz").status_code in (200, 503)
        except httpx.TransportError:
            return False

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of an answer. Raises Stop with the problem's own words."""
        with self.client() as client:
            reply = client.request(method, path, **options)
        return checked(reply)


def checked(reply: httpx.Response) -> Any:
    """Return the JSON of a good answer (None if empty); raises Stop for a refusal."""
    if reply.is_success:
        return reply.json() if reply.content else None
    try:
        detail = reply.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = reply.text[:200]
    raise Stop(f"{reply.request.method} {reply.request.url.path} was refused with {reply.status_code}: {detail}")
