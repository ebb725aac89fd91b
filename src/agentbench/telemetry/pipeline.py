"""Providers of our own that send to the collector which the environment names; OpenTelemetry's SDK reads most of it.

A collector that is away holds nothing up: sending is on threads of its own, and closing waits a moment at most.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Pipeline", "close", "metrics", "traces"]

P = TypeVar("P", TracerProvider, MeterProvider)

_CLOSING_SECONDS = 2.0
_LOGGERS = (
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.metrics._internal.export",
)
"""Who tells, again and again, of a collector that is away."""


class Pipeline(Generic[P]):
    """A provider, and the thread that will close it: at exit it would be too late to start one (CPython 3.12)."""

    def __init__(self, provider: P) -> None:
        self.provider: P = provider
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="agentbench-telemetry", daemon=True)
        self._thread.start()

    def ask_to_close(self) -> None:
        """Have what is left sent."""
        self._asked.set()

    def wait(self, seconds: float) -> None:
        """Wait until it is sent, at most so long."""
        self._thread.join(seconds)

    def _work(self) -> None:
        self._asked.wait()
        try:
            self.provider.shutdown()
        except Exception as error:
            logging.getLogger(__name__).debug("telemetry was not closed", exc_info=error)


def traces() -> Pipeline[TracerProvider]:
    """Return a provider whose spans go to the collector in batches."""
    _once.install()
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Pipeline(provider)


def metrics() -> Pipeline[MeterProvider]:
    """Return a provider whose metrics go to the collector every minute, and when it is closed."""
    _once.install()
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    return Pipeline(MeterProvider([reader], resource=_resource(), shutdown_on_exit=False))


def close(pipelines: Iterable[Pipeline[Any]]) -> None:
    """Send what is left, side by side, and wait two seconds at most."""
    closing = list(pipelines)
    for each in closing:
        each.ask_to_close()
    end = time.monotonic() + _CLOSING_SECONDS
    for each in closing:
        each.wait(max(0.0, end - time.monotonic()))


def _resource() -> Resource:
    """Return what the environment says of this service; its name is ours unless it says another."""
    found = Resource.create()
    is_named = not str(found.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service")
    return found if is_named else found.merge(Resource({SERVICE_NAME: "agentbench"}))


class _Once(logging.Filter):
    """Lets one warning of the exporters through, without its traceback, and no other."""

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def install(self) -> None:
        """Listen to the exporters; a second time changes nothing."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be logged."""
        if record.levelno < logging.WARNING:
            return True
        is_first, self._told = not self._told, True
        record.exc_info = None
        return is_first


_once = _Once()
