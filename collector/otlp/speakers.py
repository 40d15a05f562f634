"""Whose telemetry a resource's is: the connection it speaks for, and whether this caller may speak for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tower.model.connections import Connection, Connections
from tower.model.principal import Principal

SERVICE, SOURCE = "service.name", "o2c.source"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks in one resource. connection is '' for none, refusal says why the caller may not speak for it.

    stamp is the source to note on the resource, where it does not follow from the resource itself.
    """

    connection: str
    refusal: str = ""
    stamp: str = ""


def source_of(connections: Connections, service: str, stated: str) -> str:
    """Return the event source of a service's telemetry: the one its resource states, else that of the connection which
    claims the service, else one made of its name.
    """
    claimed = None if stated else connections.of_service(service)
    return stated or (claimed.source if claimed else f"/otel/{service or 'unknown_service'}")


class Speakers:
    """The resources of one request, each pair of service and stated source looked up once."""

    def __init__(self, connections: Connections, principal: Principal) -> None:
        self._connections = connections
        self._principal = principal
        self._own = self._only_connection()
        self._known: dict[tuple[str, str], Speaker] = {}

    def of(self, attributes: Iterable[KeyValue]) -> Speaker:
        """Return the speaker of a resource."""
        service = stated = ""
        for pair in attributes:
            if pair.key == SERVICE:
                service = pair.value.string_value
            elif pair.key == SOURCE:
                stated = pair.value.string_value
        speaker = self._known.get((service, stated))
        if speaker is None:
            speaker = self._known[service, stated] = self._look_up(service, stated)
        return speaker

    @property
    def stamps(self) -> bool:
        """Whether a resource that was looked at is to be stamped."""
        return any(speaker.stamp for speaker in self._known.values())

    def connection_of(self, resource: Resource) -> Connection | None:
        """Return the connection that a resource speaks for."""
        return self._connections.named(self.of(resource.attributes).connection)

    def _look_up(self, service: str, stated: str) -> Speaker:
        if self._own is not None and not stated:
            return Speaker(self._own.name, stamp=self._own.source)
        connection = self._connections.find(source_of(self._connections, service, stated))
        name = connection.name if connection else ""
        if self._principal.may_send_for(name):
            return Speaker(name)
        whose = f"connection {name!r}" if name else "services without a connection"
        where = f"{SOURCE} {stated!r}" if stated else f"service {service!r}"
        advice = "" if name else f"; name the service in a connection's spans, or set {SOURCE} on the resource"
        return Speaker(name, f"this token may not send for {whose}, where {where} belongs{advice}")

    def _only_connection(self) -> Connection | None:
        """Return the connection of a token that speaks for exactly one."""
        names = self._principal.connections
        if len(names) != 1 or "*" in names or self._principal.can("admin"):
            return None
        return next((c for c in self._connections.entries if c.name in names), None)
