"""OTLP/HTTP: traces and logs from any OpenTelemetry sender, checked here and parsed by the engine.

Way of a request: door -> decode -> check (and rewrite where it must be) -> journal; the drain hands the bodies of a
block to the store, joined, and the store reads them by the schema beside this file.
Sources: opentelemetry-proto 1.x, OTLP specification "OTLP/HTTP".
"""
