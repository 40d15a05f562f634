"""Asking a server of this machine whether it is up, cheaply: a client of httpx costs more than the question."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException


def status(port: int, path: str) -> int | None:
    """Return the status of a GET on a port of the loopback address, None without an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
