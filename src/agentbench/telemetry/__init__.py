"""Spans and metrics for OpenTelemetry, by its conventions for generative AI; nothing where nobody asks for them."""

from agentbench.telemetry.telemetry import Telemetry
from agentbench.telemetry.watch import SILENT, Watch

__all__ = ["SILENT", "Telemetry", "Watch"]
