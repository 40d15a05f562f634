"""What the dashboards are started with: the one file here that reads the environment, once, into a frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message says which and what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable."""

    name: str
    default: str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("TOWER_API_URL", "http://127.0.0.1:8080", "Address of the tower's API, as this process reaches it."),
    Setting("TOWER_DASH_HOST", "127.0.0.1", "Address the dashboards listen on."),
    Setting("TOWER_DASH_PORT", "8501", "Port the dashboards listen on."),
    Setting(
        "TOWER_DASH_KEY",
        "",
        "Tower key for browsers that have not signed in: a wall screen or a demo. Everyone without a key of their own "
        "then acts under its name; give it the viewer role unless it is a demo.",
    ),
    Setting(
        "TOWER_DASH_REFRESH_S",
        "5",
        "Seconds between two refreshes of board, order and wall; other live pages take twice as long.",
    ),
    Setting("TOWER_DASH_ROWS", "500", "Most rows the board shows; the rest is counted."),
    Setting("TOWER_DASH_SECURE_COOKIE", "false", "Send the sign-in cookie over HTTPS only; set it to true behind TLS."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in use. `dash_key` is kept out of the text form."""

    api_url: str
    host: str
    port: int
    dash_key: str = field(repr=False)
    refresh_s: float
    rows: int
    secure_cookie: bool


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of one environment. Raises SettingsError."""
    text = {s.name: environ.get(s.name) or s.default for s in SETTINGS}
    url = text["TOWER_API_URL"].rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"TOWER_API_URL is {url!r}; write an address such as http://127.0.0.1:8080")
    if text["TOWER_DASH_SECURE_COOKIE"] not in ("true", "false"):
        raise SettingsError("TOWER_DASH_SECURE_COOKIE is neither true nor false")
    return Settings(
        api_url=url,
        host=text["TOWER_DASH_HOST"],
        port=int(_number("TOWER_DASH_PORT", text["TOWER_DASH_PORT"], 0, 65535)),
        dash_key=text["TOWER_DASH_KEY"].strip(),
        refresh_s=_number("TOWER_DASH_REFRESH_S", text["TOWER_DASH_REFRESH_S"], 1, 3600),
        rows=int(_number("TOWER_DASH_ROWS", text["TOWER_DASH_ROWS"], 1, 5000)),
        secure_cookie=text["TOWER_DASH_SECURE_COOKIE"] == "true",
    )


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return read_settings(os.environ)


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; write a number from {low:g} to {high:g}") from None
    if not low <= value <= high:
        raise SettingsError(f"{name} is {text}; write a number from {low:g} to {high:g}")
    return value
