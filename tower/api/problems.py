"""Every refusal in one shape: handlers that turn whatever went wrong into an RFC 9457 problem, and its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tower.model.problem import Problem

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "example": "urn:o2c:problem:unknown_parameter"},
        "title": {"type": "string", "example": "Bad Request"},
        "status": {"type": "integer", "example": 400},
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "For people; says what to do."},
        "instance": {"type": "string", "description": "The request's id, as in the log and in X-Request-Id."},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    401: "unauthenticated",
    403: "forbidden",
    413: "too_large",
}


def respond(problem: Problem, request_id: str = "") -> Response:
    """Return the problem as a response."""
    return Response(
        problem.body(f"urn:o2c:request:{request_id}" if request_id else ""),
        status_code=problem.status,
        headers=problem.headers,
        media_type=Problem.media_type,
    )


def from_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return one problem that names every parameter or field at fault."""
    named: list[dict[str, Any]] = []
    for error in errors:
        place, *path = (str(p) for p in error.get("loc", ()))
        name = ".".join(path) or place
        unknown = error.get("type") == "extra_forbidden"
        said = (
            f"there is no {'parameter' if place == 'query' else 'field'} {name!r} here"
            if unknown
            else str(error["msg"])
        )
        named.append({"in": place, "name": name, "detail": said.removeprefix("Value error, ")})
    unknown_only = all(e.get("type") == "extra_forbidden" for e in errors)
    code = "unknown_parameter" if unknown_only else "invalid_request"
    return Problem(400, code, "; ".join(f"{e['name']}: {e['detail']}" for e in named), errors=named)


def install(app: FastAPI) -> None:
    """Make the application answer every error as a problem."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return respond(error, request_id(request))

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(from_validation(error.errors()), request_id(request))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = {
            404: f"there is nothing at {request.url.path}; docs/api.md lists every endpoint",
            405: f"{request.method} is not possible on {request.url.path}",
        }.get(error.status_code, str(error.detail))
        code = _CODES.get(error.status_code, "error")
        return respond(Problem(error.status_code, code, detail, headers=error.headers), request_id(request))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)


def request_id(request: Request) -> str:
    """Return the id that the middleware gave the request."""
    return str(request.scope.get("o2c_request_id", ""))
