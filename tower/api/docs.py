"""What the OpenAPI document says about refusals and examples; the endpoints use it in their decorators."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from tower.api.problems import PROBLEM_SCHEMA
from tower.model.problem import Problem

# Asked without a key: health, and the links of notices, which are their own proof.
_OPEN = ("/healthz", "/readyz", "/v1/subscriptions/confirm", "/v1/subscriptions/unsubscribe")
_PROBLEM = {Problem.media_type: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the response entries for statuses that come as problems; 401, 403 and 500 always may."""
    wanted = sorted({*statuses, 401, 403, 500})
    return {status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM} for status in wanted}


def answers(example: Any, *refusals: int, status: int = 200, also: str = "") -> dict[int | str, dict[str, Any]]:
    """Return the response entries of an endpoint: its example, another media type it speaks, and its refusals."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    if also:
        content[also] = {}
    return {status: {"description": "As asked", "content": content}, **problems(*refusals)}


def complete(document: dict[str, Any], routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the document with the problem schema and the bearer key, which every endpoint but health needs.

    So each but health may refuse a caller, or fail, and each that is asked something may refuse how it is asked.
    Examples are put back as they were written: the generator drops every null from them.
    """
    for route in (r for r in routes if isinstance(r, APIRoute) and r.path_format in document["paths"]):
        for method in (route.methods or set()) & {m.upper() for m in document["paths"][route.path_format]}:
            told = document["paths"][route.path_format][method.lower()]["responses"]
            for status, response in route.responses.items():
                for media, content in response.get("content", {}).items():
                    if "example" in content:
                        told[str(status)]["content"][media]["example"] = content["example"]
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            told = operation.setdefault("responses", {})
            if Problem.media_type not in told.get("422", {}).get("content", {}):
                told.pop("422", None)  # the framework's own, which is never answered
            if path not in _OPEN:
                operation["security"] = [{"key": []}]
                asks = "parameters" in operation or "requestBody" in operation
                for status, refusal in problems(*([400] if asks else [])).items():
                    told.setdefault(str(status), refusal)
    return document
