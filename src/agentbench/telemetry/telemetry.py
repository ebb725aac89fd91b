"""Whether anybody wants to know, and who: the program's own providers, or a collector that the environment names.

Nothing of OpenTelemetry is imported before that is so.
"""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from agentbench.errors import MissingExtra
from agentbench.telemetry.settings import captures, is_disabled, is_wanted, speaks_http
from agentbench.telemetry.watch import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from agentbench.config.endpoint import Agent, Endpoint
    from agentbench.telemetry.emitter import Emitter
    from agentbench.telemetry.pipeline import Pipeline
    from agentbench.telemetry.settings import Signal
    from agentbench.telemetry.watch import Watch

__all__ = ["Telemetry"]

_log = logging.getLogger(__name__)


class Telemetry:
    """Watches runs for OpenTelemetry. `close` it; else what is unsent goes at exit.

    Providers that are given come first, then the program's global ones, then our own if `environ` names a collector.
    `OTEL_SDK_DISABLED` wins over all. The environment is read anew for each run.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._environ = environ
        self._given: dict[Signal, Any] = {"TRACES": tracer_provider, "METRICS": meter_provider}
        self._own: dict[Signal, Pipeline[Any]] = {}
        self._emitter: Emitter | None = None
        self._made_of: tuple[object, ...] = ()
        self._warned = False
        self._lock = threading.Lock()
        self._close = weakref.finalize(self, _close, self._own)

    def watch(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        agent: Agent | None = None,
        conversation: str | None = None,
        context: str = "message",
        beside: bool = False,
    ) -> Watch:
        """Return what is to hear of a run; the span that is current here is its parent.

        `context` is as in the ledger. A run `beside` another is a single call in that one's service.
        """
        if (emitter := self._current()) is None:
            return SILENT
        from agentbench.telemetry.spans import SpanWatch

        return SpanWatch(
            emitter, endpoint, model, agent=agent, conversation=conversation, context=context, beside=beside
        )

    def called(self, headers: Mapping[str, str], *, remote: bool) -> AbstractContextManager[object]:
        """Return a block in which the trace that a request's headers name holds. W3C Trace Context.

        Without one, what is current holds for a request of this process, and nothing for one that is `remote`.
        """
        if self._current() is None:
            return nullcontext()
        from agentbench.telemetry.spans import called

        return called(headers.get("traceparent", ""), headers.get("tracestate", ""), remote=remote)

    def close(self) -> None:
        """Send what is unsent, waiting two seconds at most. A second call does nothing."""
        self._close()

    def _current(self) -> Emitter | None:
        """Return where spans go now; None where nobody wants any."""
        if not self._close.alive or is_disabled(self._environ):
            return None
        with self._lock:
            traces, meters = self._provider("TRACES", _global_traces), self._provider("METRICS", _global_meters)
            if traces is None and meters is None:
                return None
            capturing = captures(self._environ)
            if self._made_of != (traces, meters, capturing):
                self._made_of, self._emitter = (traces, meters, capturing), _emitter(traces, meters, capturing)
            return self._emitter

    def _provider(self, signal: Signal, find: Callable[[], Any]) -> Any:
        found = self._given[signal] or find()
        if found is None and is_wanted(self._environ, signal):
            own = self._own.get(signal)
            found = self._make(signal) if own is None else own.provider
        return found

    def _make(self, signal: Signal) -> Any:
        if not speaks_http(self._environ, signal):
            self._warn("Telemetry goes over HTTP: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and that port.")
            return None
        try:
            from agentbench.telemetry.pipeline import metrics, traces
        except ImportError:
            self._warn(MissingExtra("otel", "Telemetry").message)
            return None
        made = self._own[signal] = traces() if signal == "TRACES" else metrics()
        return made.provider

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(message)


def _global_traces() -> Any:
    """Return the tracer provider that the program has set, if it has."""
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    found = api.get_tracer_provider()
    return None if isinstance(found, api.ProxyTracerProvider) else found


def _global_meters() -> Any:
    """Return the meter provider that the program has set, if it has; the stand-in is the API's own."""
    api = sys.modules.get("opentelemetry.metrics")
    if api is None:
        return None
    found = api.get_meter_provider()
    return None if type(found).__module__.startswith("opentelemetry.metrics.") else found


def _emitter(traces: Any, meters: Any, capturing: tuple[str, ...]) -> Emitter:
    from opentelemetry.metrics import NoOpMeterProvider
    from opentelemetry.trace import NoOpTracerProvider

    from agentbench.telemetry.emitter import Emitter

    return Emitter(traces or NoOpTracerProvider(), meters or NoOpMeterProvider(), capturing)


def _close(pipelines: dict[Signal, Pipeline[Any]]) -> None:
    if pipelines:
        from agentbench.telemetry.pipeline import close

        close(pipelines.values())
