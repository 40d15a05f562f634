"""Secrets by reference: `env:TOWER_SECRET_NAME` or `file:NAME` in the secrets folder, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ENV = re.compile(r"env:(TOWER_SECRET_[A-Z0-9_]+)\Z")
_FILE = re.compile(r"file:([A-Za-z0-9][A-Za-z0-9._-]*)\Z")


class SecretError(ValueError):
    """A secret reference is malformed or leads nowhere; the message never holds a value."""


def is_reference(text: str) -> bool:
    """Return whether the text has the form of a secret reference."""
    return bool(_ENV.match(text) or _FILE.match(text))


@dataclass(frozen=True, slots=True)
class Secrets:
    """Resolves references against one environment and one folder."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    def resolve(self, reference: str) -> str:
        """Return the secret; raises SecretError with what to do."""
        if match := _ENV.match(reference):
            value = self.environ.get(match[1])
            if not value:
                raise SecretError(f"{reference}: the environment variable {match[1]} is not set")
            return value
        if match := _FILE.match(reference):
            if self.folder is None:
                raise SecretError(f"{reference}: set TOWER_SECRETS_DIR to the folder that holds it")
            try:
                return (self.folder / match[1]).read_text().strip()
            except OSError as error:
                raise SecretError(f"{reference}: cannot be read ({error.strerror})") from error
        raise SecretError(f"{reference!r} is no secret reference; write env:TOWER_SECRET_NAME or file:NAME")
