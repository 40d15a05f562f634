"""`/v1/keys`: administrators make, list and end keys while the tower runs; the embedded store has no other door."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from tower.api.auth import Admin
from tower.api.docs import problems
from tower.model.problem import Problem
from tower.store.keys import KeyProblem, Keys


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "anna", "roles": ["operator"], "connections": []}},
    )
    name: str
    roles: list[str] = Field(default_factory=lambda: ["viewer"], description="Some of viewer, operator, admin.")
    connections: list[str] = Field(default_factory=list, description="Connections it may send events for; `*` is any.")


class MadeKey(BaseModel):
    """A key that was made. The token is shown this once."""

    name: str
    token: str


class KeyRow(BaseModel):
    """A key as it can be shown."""

    name: str
    roles: list[str]
    connections: list[str]
    created_at: datetime
    revoked_at: datetime | None


class KeyList(BaseModel):
    """Every key ever made, by name."""

    keys: list[KeyRow]


def key_routes(keys: Keys) -> list[BaseRoute]:
    """Return the routes."""
    router = APIRouter(prefix="/v1/keys", tags=["keys"])

    @router.get("", summary="Every key ever made; tokens cannot be shown")
    def list_keys(_: Admin) -> KeyList:
        rows = [
            KeyRow(
                name=k.name,
                roles=list(k.roles),
                connections=list(k.connections),
                created_at=k.created_at,
                revoked_at=k.revoked_at,
            )
            for k in keys.list()
        ]
        return KeyList(keys=rows)

    @router.post("", status_code=201, summary="Make a key; its token is shown once", responses=problems(409))
    def add(_: Admin, key: NewKey) -> MadeKey:
        try:
            return MadeKey(name=key.name, token=keys.add(key.name, key.roles, key.connections))
        except KeyProblem as error:
            raise Problem(409 if "exists" in str(error) else 400, "key_refused", str(error)) from error

    @router.delete("/{name}", status_code=204, summary="End a key at once", responses=problems(404))
    def revoke(_: Admin, name: Annotated[str, Path()]) -> None:
        try:
            keys.revoke(name)
        except KeyProblem as error:
            raise Problem(404, "no_such_key", str(error)) from error

    return list(router.routes)
