"""Unmodified OpenTelemetry SDK exporters, protobuf and gzip, against a real running tower."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

from tests.commands.process import TOKEN
from tests.commands.served import Served

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
GOOD = datetime.now(UTC) - timedelta(minutes=5)
FAR = datetime(2150, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("tower") / "var") as made:
        yield made


@pytest.fixture
def session() -> Iterator[tuple[requests.Session, list[requests.Response]]]:
    """A session that remembers the answers, as any of the exporter's users may give it one."""
    answers: list[requests.Response] = []
    made = requests.Session()
    made.trust_env = False
    made.hooks["response"].append(lambda response, *_, **__: answers.append(response))
    yield made, answers
    made.close()


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000


@pytest.mark.parametrize("compression", list(Compression))
def test_spans_of_the_sdk_are_taken_and_partial_success_is_told(
    running: Served, session: tuple[requests.Session, list[requests.Response]], compression: Compression
) -> None:
    http, answers = session
    exporter = OTLPSpanExporter(f"{running.url}/v1/traces", headers=HEADERS, compression=compression, session=http)
    provider = TracerProvider(resource=Resource({"service.name": "bridge"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("steps", "2.1")
    for number in range(20):
        at = FAR if number % 10 == 3 else GOOD
        span = tracer.start_span(f"step {number}", start_time=_ns(at), attributes={"o2c.order_id": "SO-1", "list": [1]})
        span.set_status(Status(StatusCode.ERROR, "tax engine timed out"))
        span.end(_ns(at) + 5)
    provider.force_flush()
    provider.shutdown()
    assert [a.status_code for a in answers] == [200]
    partial = ExportTraceServiceResponse.FromString(answers[0].content).partial_success
    assert partial.rejected_spans == 2
    assert "2099" in partial.error_message


def test_log_records_of_the_sdk_are_taken(
    running: Served, session: tuple[requests.Session, list[requests.Response]]
) -> None:
    http, answers = session
    exporter = OTLPLogExporter(f"{running.url}/v1/logs", headers=HEADERS, compression=Compression.Gzip, session=http)
    provider = LoggerProvider(resource=Resource({"service.name": "bridge"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("steps")
    record: dict[str, Any] = {"severity_number": SeverityNumber.ERROR, "body": {"order": "SO-1"}}
    logger.emit(LogRecord(timestamp=_ns(GOOD), **record))
    logger.emit(LogRecord(timestamp=_ns(FAR), **record))
    provider.shutdown()
    assert [a.status_code for a in answers] == [200, 200]
    rejected = [ExportLogsServiceResponse.FromString(a.content).partial_success.rejected_log_records for a in answers]
    assert rejected == [0, 1]


def test_a_sender_with_a_wrong_token_is_told_once_and_not_to_repeat(
    running: Served, session: tuple[requests.Session, list[requests.Response]]
) -> None:
    http, answers = session
    exporter = OTLPSpanExporter(f"{running.url}/v1/traces", headers={"Authorization": "Bearer no"}, session=http)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.get_tracer("x").start_span("y").end()
    provider.shutdown()
    assert [a.status_code for a in answers] == [401]
