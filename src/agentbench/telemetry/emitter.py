"""Where spans and metrics go: a tracer and three histograms of one pair of providers. Imported once there is a pair."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, Status, StatusCode

from agentbench._version import __version__
from agentbench.telemetry.attributes import error_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from agentbench.telemetry.attributes import Attributes

__all__ = ["Emitter", "Measures", "fail"]

_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
_TOKENS = [float(4**power) for power in range(14)]
_SECONDS = [0.01 * 2**power for power in range(14)]
_FIRST_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_MEASURED = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port")
"""What metrics are told apart by: few values each, and nobody's name."""


class Emitter:
    """Makes spans and measures. `captures` names where what is asked and answered goes too."""

    def __init__(self, traces: TracerProvider, meters: MeterProvider, captures: tuple[str, ...]) -> None:
        self.captures = captures
        self._tracer = traces.get_tracer("agentbench", __version__, schema_url=_SCHEMA)
        meter = meters.get_meter("agentbench", __version__, schema_url=_SCHEMA)
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to receive the first chunk.",
            explicit_bucket_boundaries_advisory=_FIRST_SECONDS,
        )

    @contextmanager
    def span(
        self, operation: str, subject: str, attributes: Attributes, *, parent: Context | None, upstream: bool = False
    ) -> Iterator[Span]:
        """Open a span for the time of a block, however that ends; nothing else is made current by it."""
        span = self._tracer.start_span(
            f"{operation} {subject}".strip(),
            parent,
            SpanKind.CLIENT if upstream else SpanKind.INTERNAL,
            {"gen_ai.operation.name": operation, **attributes},
        )
        try:
            yield span
        finally:
            span.end()

    @contextmanager
    def call(
        self, operation: str, attributes: Attributes, *, parent: Context | None = None
    ) -> Iterator[tuple[Span, Measures]]:
        """Open the span of an upstream call, which is measured too."""
        measures = Measures()
        named: Attributes = {"gen_ai.operation.name": operation, **attributes}
        model = str(attributes["gen_ai.request.model"])
        with self.span(operation, model, attributes, parent=parent, upstream=True) as span:
            try:
                yield span, measures
            except Exception as error:
                measures.error = error_type(error)
                raise
            finally:
                self._measure(measures, {name: named[name] for name in _MEASURED if name in named})

    def _measure(self, measures: Measures, about: Attributes) -> None:
        failed: Attributes = {} if measures.error is None else {"error.type": measures.error}
        self._duration.record(time.perf_counter() - measures.start, about | failed)
        if measures.first is not None:
            self._first.record(measures.first, about)
        for kind, count in (("input", measures.input_tokens), ("output", measures.output_tokens)):
            if count is not None:
                self._tokens.record(count, about | {"gen_ai.token.type": kind})


class Measures:
    """What one upstream call took: its begin, the seconds to its first piece, its tokens, the class of its error."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.first: float | None = None
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.error: str | None = None

    def note_piece(self) -> None:
        """Note that a piece of the answer came now."""
        if self.first is None:
            self.first = time.perf_counter() - self.start


def fail(span: Span, kind: str, message: str | None = None) -> None:
    """Mark a span as failed; the message must hold no secret."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, message))
