"""When telemetry is on, and where it goes then."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry import metrics, trace

from agentbench.config import Endpoint
from agentbench.telemetry import SILENT, Telemetry
from agentbench.telemetry.attributes import endpoint_attributes

if TYPE_CHECKING:
    from tests.telemetry.collected import Collected

    from agentbench.config.endpoint import Provider

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
ENDPOINT = Endpoint(name="fake", provider="scripted", models=("m",))
ASK = """
import sys
from agentbench import Workbench
with Workbench({"endpoints": {"scripted": {"models": {"m": [{"text": "hi"}]}}}}) as bench:
    bench.ask("Hello?", model="scripted/m")
print(*(name for name in sys.modules if name.startswith("opentelemetry")))
"""


def test_off_imports_nothing() -> None:
    """Where nothing is configured, a whole turn imports nothing of OpenTelemetry."""
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert (asked.stdout.strip(), asked.stderr) == ("", "")


def test_off_costs_next_to_nothing() -> None:
    """A run that nobody wants to know of pays some microseconds."""
    telemetry = Telemetry({})
    start = time.perf_counter()
    assert {SILENT} == {telemetry.watch(ENDPOINT, "m") for _ in range(1000)}
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        COLLECTOR | {"OTEL_SDK_DISABLED": "true"},
        COLLECTOR | {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
def test_is_off(environ: dict[str, str]) -> None:
    """Nothing is watched without a collector, with another exporter, or where the SDK is disabled."""
    assert SILENT is Telemetry(environ).watch(ENDPOINT, "m")


def test_disabled_wins(collected: Collected) -> None:
    """`OTEL_SDK_DISABLED` holds for given providers too."""
    assert SILENT is collected.telemetry(OTEL_SDK_DISABLED="TRUE").watch(ENDPOINT, "m")


def test_closed_is_off(collected: Collected) -> None:
    """After `close` nothing is watched."""
    telemetry = collected.telemetry()
    telemetry.close()
    assert SILENT is telemetry.watch(ENDPOINT, "m")


def test_missing_extra_is_told_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A collector without the extra gives one warning that names it, and no spans."""
    monkeypatch.setitem(sys.modules, "agentbench.telemetry.pipeline", None)
    telemetry = Telemetry(COLLECTOR)
    assert [telemetry.watch(ENDPOINT, "m") for _ in range(2)] == [SILENT] * 2
    assert caplog.messages == ['Telemetry needs an optional part. Install it: pip install "agentbench[otel]"']


def test_grpc_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A collector that wants gRPC gets nothing, and a warning says what to set."""
    assert SILENT is Telemetry(COLLECTOR | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}).watch(ENDPOINT, "m")
    assert ["OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in message for message in caplog.messages] == [True]


async def _embedded() -> object:
    return object()


@pytest.mark.anyio
async def test_programs_own_providers_are_used(monkeypatch: pytest.MonkeyPatch, collected: Collected) -> None:
    """Providers that the program has set get the spans and metrics, and no collector is asked."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: collected.traces)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: collected.meters)
    telemetry = Telemetry(COLLECTOR)
    await telemetry.watch(ENDPOINT, "m", context="embedding").embedding(_embedded())
    assert telemetry._own == {}
    assert collected.names == ["embeddings m"]
    assert len(collected.points("gen_ai.client.operation.duration")) == 1


@pytest.mark.parametrize(
    ("provider", "address", "name"),
    [
        ("openai_chat", "https://api.openai.com/v1", "openai"),
        ("openai_chat", "http://127.0.0.1:8000/v1", "openai"),
        ("openai_chat", "https://api.mistral.ai/v1", "mistral_ai"),
        ("openai_responses", "https://api.x.ai/v1", "x_ai"),
        ("openai_chat", "https://us-central1-aiplatform.googleapis.com/v1", "gcp.vertex_ai"),
        ("azure_openai", "https://mine.openai.azure.com/openai", "azure.ai.openai"),
        ("anthropic", None, "anthropic"),
        ("google", None, "gcp.gemini"),
        ("bedrock", None, "aws.bedrock"),
        ("ollama", "http://127.0.0.1:11434", "ollama"),
        ("llama_cpp", None, "llama_cpp"),
    ],
)
def test_providers_have_their_known_names(provider: Provider, address: str | None, name: str) -> None:
    """A host that is known, or else the wire, gives the provider's well-known name."""
    endpoint = Endpoint(name="x", provider=provider, base_url=address)
    assert name == endpoint_attributes(endpoint, "m")["gen_ai.provider.name"]


def test_server_is_named_without_its_credentials() -> None:
    """Of an address only the host and the port are told."""
    endpoint = Endpoint(name="x", provider="openai_chat", base_url="http://user:pass@host.test:8080/v1?key=abc")
    told = endpoint_attributes(endpoint, "m")
    assert (told["server.address"], told["server.port"]) == ("host.test", 8080)
    assert "pass" not in str(told)
    assert "abc" not in str(told)
