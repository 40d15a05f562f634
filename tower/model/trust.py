"""Whose certificates calls to the outside are checked against."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trust() -> ssl.SSLContext:
    """Return the context of every client that calls out; to read the authorities takes 30 ms, so it is done once."""
    return httpx.create_ssl_context(trust_env=False)
