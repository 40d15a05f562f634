"""One shape for every refusal: RFC 9457 problem details with a stable code."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec


class Problem(Exception):
    """A request that cannot be served. code is stable and for programs; detail is for people and says what to do.

    Permanent or retryable is in the status: 429 and 503 carry Retry-After and may be repeated, the rest may not.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers.setdefault("WWW-Authenticate", "Bearer")

    media_type = "application/problem+json"

    def body(self, instance: str = "") -> bytes:
        """Return the JSON document."""
        document: dict[str, Any] = {
            "type": f"urn:o2c:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if instance:
            document["instance"] = instance
        if self.errors:
            document["errors"] = self.errors
        return msgspec.json.encode(document)
