"""What the environment says about telemetry, by the names that OpenTelemetry has given its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Signal", "captures", "is_disabled", "is_wanted", "speaks_http"]

Signal = Literal["TRACES", "METRICS"]

_CAPTURES = {
    "true": ("span",),
    "span_only": ("span",),
    "event_only": ("event",),
    "span_and_event": ("span", "event"),
}


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Return whether nothing may be told to anybody."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().casefold() == "true"


def is_wanted(environ: Mapping[str, str], signal: Signal) -> bool:
    """Return whether the environment names a collector for a signal, and no other exporter than OTLP."""
    address = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    exporters = environ.get(f"OTEL_{signal}_EXPORTER") or "otlp"
    return bool(address) and "otlp" in exporters.casefold()


def speaks_http(environ: Mapping[str, str], signal: Signal) -> bool:
    """Return whether the collector is to be spoken to over HTTP, the only way that there is here."""
    name = "OTEL_EXPORTER_OTLP_{}PROTOCOL"
    protocol = environ.get(name.format(f"{signal}_")) or environ.get(name.format("")) or "http/protobuf"
    return protocol.strip().casefold() == "http/protobuf"


def captures(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where what is asked and answered goes: on the "span", into an "event", both, or nowhere."""
    value = environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
    return _CAPTURES.get(value.strip().casefold(), ())
