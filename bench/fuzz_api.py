"""Schemathesis against the OpenAPI document of a running tower: what the document says is what is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import schemathesis
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bench.process import AUTH, Tower, tower

_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_TIMEOUT_S = 60


class Asked(NamedTuple):
    """How many operations were asked how often, and what was wrong: operation and check, once each."""

    operations: int
    requests: int
    wrong: list[str]


def ask(folder: Path, each: int, seed: int) -> Asked:
    """Ask every operation of a fresh tower so often, with input that fits its document and input that does not."""
    folder.mkdir(parents=True, exist_ok=True)
    with tower(folder / "tower", "run") as running:
        return _ask(running, each, seed)


def _ask(running: Tower, each: int, seed: int) -> Asked:
    schema = schemathesis.openapi.from_url(f"{running.url}/openapi.json", headers=AUTH)
    wrong: dict[str, None] = {}
    requests = operations = 0

    def attempt(case: Case[Any]) -> None:
        nonlocal requests
        requests += 1
        for told in _wrong(case, running.url):
            if told not in wrong:
                wrong[told] = None
                print(f"{told}\n    {case.as_curl_command()[:1500]}")

    for found in schema.get_all_operations():
        if not isinstance(found, Ok):
            wrong[f"the document cannot be read: {found.err()}"] = None
            continue
        operation = found.ok()
        operations += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _run(operation.as_strategy(mode), attempt, each // 2, seed)
    return Asked(operations, requests, list(wrong))


def _run(cases: st.SearchStrategy[Case[Any]], attempt: Callable[[Case[Any]], None], count: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(cases)
    def given(case: Case[Any]) -> None:
        attempt(case)

    with suppress(Unsatisfiable):  # an operation without parameters has no wrong input
        given()


def _wrong(case: Case[Any], url: str) -> Iterator[str]:
    """Yield what is wrong with the answer to one request: a sentence without what differs from request to request."""
    what = f"{case.method} {case.path}"
    try:
        response = case.call(base_url=url, headers=dict(AUTH), timeout=_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001  # no answer is what is looked for, whatever the library calls it
        yield f"{what}: no answer, {type(error).__name__}: {str(error)[:200]}"
        return
    try:
        case.validate_response(response, checks=_CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            yield f"{what}: {response.status_code}: {_told(failure)}"


def _told(failure: Any) -> str:
    if isinstance(failure, Failure):
        return f"{failure.title}: {' '.join(failure.message.split())[:300]}"
    return repr(failure)[:300]
