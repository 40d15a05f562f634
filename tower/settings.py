"""What the process is started with: the one file that reads the environment, once, into a frozen value.

Each setting has its name, default and meaning in SETTINGS; the documentation and `tower run --help` come from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable."""

    name: str
    default: str | None
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("TOWER_DATA_DIR", "./var", "Folder for the journal, the embedded store and the first admin token."),
    Setting("TOWER_CLICKHOUSE", None, "ClickHouse DSN; unset means an embedded store (chDB) under the data folder."),
    Setting("TOWER_HOST", "127.0.0.1", "Address to listen on."),
    Setting("TOWER_PORT", "8080", "Port to listen on."),
    Setting("TOWER_OTLP_PORT", None, "A second port that also takes OTLP, usually 4318; unset means none."),
    Setting("TOWER_BOOK", None, "Rulebook folder; unset means the order-to-cash book that ships with the tower."),
    Setting("TOWER_CONNECTIONS", None, "YAML file with the sending systems; unset means every system kind is known."),
    Setting("TOWER_MAPPINGS", None, "Folder of own mapping sets, put before those that ship with the tower."),
    Setting("TOWER_ADMIN_TOKEN", None, "Token of the first administrator; unset means one is made and kept, mode 600."),
    Setting("TOWER_TICK_S", "1", "Seconds between two ticks of the engine."),
    Setting("TOWER_PUBLIC_URL", None, "Address of the dashboards as people reach them, for links."),
    Setting("TOWER_RAW_DAYS", "30", "Days to keep the bodies of messages as they arrived."),
    Setting(
        "TOWER_RAW_KEY",
        None,
        "References of the keys that seal raw bodies, newest first; unset means one is made and kept, mode 600.",
    ),
    Setting("TOWER_SECRETS_DIR", None, "Folder of secret files, for references of the form file:NAME."),
    Setting(
        "TOWER_OTLP_ENDPOINT", None, "Where to send the tower's own spans and metrics (OTLP/HTTP); unset means nowhere."
    ),
    Setting("TOWER_TRACE_URL", None, "Where a trace can be looked at, with {trace_id} in it; unset means no link."),
    Setting("TOWER_MAX_BODY_MB", "8", "Largest request body in MiB, after decompression (OTLP: 64)."),
    Setting("TOWER_MAX_FILE_MB", "32", "Largest batch file in MiB, unpacked."),
    Setting("TOWER_BACKLOG_MB", "512", "Journal bytes not yet stored at which the doors answer 429."),
    Setting("TOWER_DISK_FLOOR_MB", "256", "Free disk below which the doors answer 503."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The resolved settings; see SETTINGS for their meaning. Paths are absolute."""

    data_dir: Path
    clickhouse: str
    host: str = "127.0.0.1"
    port: int = 8080
    otlp_port: int | None = None
    book: Path | None = None
    connections: Path | None = None
    mappings: Path | None = None
    admin_token: str | None = None
    tick_s: float = 1.0
    public_url: str | None = None
    raw_days: int = 30
    raw_key: str | None = None
    secrets_dir: Path | None = None
    otlp_endpoint: str | None = None
    trace_url: str | None = None
    max_body_mb: int = 8
    max_file_mb: int = 32
    backlog_mb: int = 512
    disk_floor_mb: int = 256

    @property
    def embedded(self) -> bool:
        """Whether the store lives inside this process."""
        return self.clickhouse.startswith("chdb:")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings that the environment describes; raises SettingsError naming the variable."""
        values = {s.name: environ.get(s.name) or s.default for s in SETTINGS}

        def number(name: str, convert: Callable[[str], Any], low: float, high: float) -> Any:
            text = values[name]
            if text is None:
                return None
            try:
                value = convert(text)
            except ValueError:
                raise SettingsError(f"{name} is {text!r}, which is no number") from None
            if not low <= value <= high:
                raise SettingsError(f"{name} is {text}, allowed are {low:g} to {high:g}")
            return value

        def path(name: str) -> Path | None:
            text = values[name]
            return Path(text).expanduser().resolve() if text else None

        data_dir = path("TOWER_DATA_DIR")
        assert data_dir is not None
        return cls(
            data_dir=data_dir,
            clickhouse=values["TOWER_CLICKHOUSE"] or f"chdb://{data_dir / 'store'}",
            host=values["TOWER_HOST"] or "",
            port=number("TOWER_PORT", int, 0, 65535),
            otlp_port=number("TOWER_OTLP_PORT", int, 0, 65535),
            book=path("TOWER_BOOK"),
            connections=path("TOWER_CONNECTIONS"),
            mappings=path("TOWER_MAPPINGS"),
            admin_token=values["TOWER_ADMIN_TOKEN"],
            tick_s=number("TOWER_TICK_S", float, 0.05, 3600),
            public_url=values["TOWER_PUBLIC_URL"],
            raw_days=number("TOWER_RAW_DAYS", int, 1, 36500),
            raw_key=values["TOWER_RAW_KEY"],
            secrets_dir=path("TOWER_SECRETS_DIR"),
            otlp_endpoint=values["TOWER_OTLP_ENDPOINT"],
            trace_url=_trace_url(values["TOWER_TRACE_URL"]),
            max_body_mb=number("TOWER_MAX_BODY_MB", int, 1, 1024),
            max_file_mb=number("TOWER_MAX_FILE_MB", int, 1, 1024),
            backlog_mb=number("TOWER_BACKLOG_MB", int, 1, 1 << 20),
            disk_floor_mb=number("TOWER_DISK_FLOOR_MB", int, 0, 1 << 20),
        )


def _trace_url(text: str | None) -> str | None:
    if text and not ("{trace_id}" in text and text.startswith(("http://", "https://"))):
        raise SettingsError(
            f"TOWER_TRACE_URL is {text!r}; write an http address with {{trace_id}} in it, such as"
            " http://jaeger.example/trace/{trace_id}"
        )
    return text
