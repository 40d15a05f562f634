"""A request class that finds the attribute values which the engine does not read, at the speed of the decoder.

The engine reads plain values. Lists and maps are rare, may be nested without end, and looking for them in Python costs
more than all the rest. So the door decodes into a twin of the official class in which those two are messages that lack
a required field: decoding checks all else as ever, and "is it complete?", a question that the protobuf library answers
in C, tells whether there is one, and where.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

NESTED = ("array_value", "kvlist_value")
_NEVER = "o2c.otlp.Never"


def checked(official: type[Message]) -> type[Message]:
    """Return the twin of an official request class. `FindInitializationErrors` of its values names each such value."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_never().SerializeToString())
    _add(pool, official.DESCRIPTOR.file.name, set())
    twin = message_factory.GetMessageClass(pool.FindMessageTypeByName(official.DESCRIPTOR.full_name))
    assert issubclass(twin, Message)
    return twin


def _never() -> descriptor_pb2.FileDescriptorProto:
    """Return a file with one message that nobody can fill."""
    file = descriptor_pb2.FileDescriptorProto(name="never.proto", package="o2c.otlp", syntax="proto2")
    field = file.message_type.add(name="Never").field.add(name="never", number=536_870_911)
    field.type, field.label = field.TYPE_BOOL, field.LABEL_REQUIRED
    return file


def _add(pool: descriptor_pool.DescriptorPool, name: str, added: set[str]) -> None:
    """Copy an official file and all it depends on into the pool."""
    if name in added:
        return
    added.add(name)
    copy = descriptor_pb2.FileDescriptorProto()
    descriptor_pool.Default().FindFileByName(name).CopyToProto(copy)
    for dependency in copy.dependency:
        _add(pool, dependency, added)
    for message in copy.message_type:
        if message.name == "AnyValue":
            copy.dependency.append("never.proto")
            for field in message.field:
                if field.name in NESTED:
                    field.type, field.type_name = field.TYPE_MESSAGE, f".{_NEVER}"
    pool.AddSerializedFile(copy.SerializeToString())
