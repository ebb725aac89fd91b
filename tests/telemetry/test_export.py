"""A program of its own that sends its spans to a collector, or fails to."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.telemetry.collector import collecting, silence

from agentbench.telemetry.pipeline import _resource

if TYPE_CHECKING:
    import pytest

PROGRAM = """
import time
from agentbench import Workbench
CONFIG = {
    "endpoints": {"scripted": {"models": {"m": [{"text": "hi"}, {"usage": {"input_tokens": 3, "output_tokens": 2}}]}}},
    "agents": [{"id": "bot", "name": "Bot", "endpoint": "scripted", "model": "m"}],
}
bench = Workbench(CONFIG)
bench.ask("Hello?", agent="bot")
start = time.perf_counter()
bench.close()
print(time.perf_counter() - start)
"""
UNCLOSED = PROGRAM.replace("bench.close()", "")


def run(program: str, **environ: str) -> tuple[float, str]:
    """Run a program; return what it printed, and its errors."""
    whole = {**os.environ, **environ}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=whole)
    return float(done.stdout), done.stderr


def test_collector_gets_the_run() -> None:
    """A turn's spans arrive as one trace, its metrics beside them, though nobody closed the workbench.

    They come under our name, with the headers that are set.
    """
    with collecting() as collector:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-project=mine"}
        _, errors = run(UNCLOSED, **environ)
    call, turn = sorted(collector.spans, key=lambda span: span.name)
    assert (call.name, turn.name, errors) == ("chat m", "invoke_agent Bot", "")
    assert (turn.span_id, turn.trace_id) == (call.parent_span_id, call.trace_id)
    assert {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"} <= collector.metrics
    assert {"agentbench"} == collector.services
    assert {"mine"} == {headers["x-project"] for headers in collector.headers}


def test_collector_that_is_away_holds_nothing_up() -> None:
    """Closing waits two seconds at most for collectors that refuse or say nothing, and one line tells of them."""
    with silence() as url:
        traces, meters = f"{url}/v1/traces", "http://127.0.0.1:9/v1/metrics"
        environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": meters}
        seconds, errors = run(PROGRAM, **environ)
    assert seconds < 2.5
    assert (len(errors.splitlines()), "Traceback" in errors) == (1, False)


def test_service_has_the_environments_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SERVICE_NAME` names the service, and other attributes of it come along."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "lab")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=blue")
    found = _resource().attributes
    assert (found["service.name"], found["team"]) == ("lab", "blue")
