"""From what an operator writes to every provider's own protocol, and from the environment too."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.speaker import KEY, SCENES, serving

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = {
    "openAI": "openai_chat",
    "azureOpenAI": "azure_openai",
    "anthropic": "anthropic",
    "google": "google",
    "bedrock": "bedrock",
    "ollama": "ollama",
    "responses": "openai_responses",
}
HELLO = "Hello from here."

every_endpoint = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Serve every protocol on this machine."""
    with ExitStack() as stack:
        speakers = {name: import_module(f"tests.providers.speak_{module}").Speaker() for name, module in NAMES.items()}
        yield {name: stack.enter_context(serving(each.app)) for name, each in speakers.items()}


def config(urls: dict[str, str]) -> dict[str, Any]:
    """Return the config of all of them."""
    group = {"group": "g", "apiKey": KEY, "baseURL": urls["azureOpenAI"], "version": "2024-10-21"}
    deployed = {scene: {"deploymentName": scene} for scene in SCENES}
    custom = {"name": "responses", "apiKey": KEY, "useResponsesApi": True, "models": {"fetch": True}}
    return {
        "endpoints": {
            "all": {"titleConvo": False, "streamRate": 0},
            "openAI": {"apiKey": KEY, "baseURL": f"{urls['openAI']}/v1"},
            "azureOpenAI": {"groups": [{**group, "models": deployed}]},
            "anthropic": {"apiKey": KEY, "baseURL": urls["anthropic"]},
            "google": {"apiKey": KEY, "baseURL": f"{urls['google']}/v1beta"},
            "bedrock": {"apiKey": KEY, "baseURL": urls["bedrock"], "region": "eu-central-1"},
            "ollama": {"apiKey": KEY, "baseURL": urls["ollama"]},
            "custom": [{**custom, "baseURL": f"{urls['responses']}/v1"}],
        }
    }


@pytest.fixture(scope="module")
def bench(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench of that config."""
    with Workbench(config(urls), home=tmp_path_factory.mktemp("home")) as bench:
        yield bench


@every_endpoint
def test_a_block_is_enough(bench: Workbench, name: str) -> None:
    """The endpoint answers, and its tokens are in the ledger under its name."""
    assert bench.ask("Hi", model=f"{name}/text").output_text == HELLO
    row = bench.usage().iloc[-1]
    assert (row.endpoint, row.model, row.input_tokens, row.output_tokens) == (name, "text", 12, 5)


@every_endpoint
def test_its_models_are_listed(bench: Workbench, name: str) -> None:
    """Those of the config, or those that it lists itself."""
    models = bench.models(name)
    assert len(models) > 1
    assert name == "bedrock" or set(SCENES) <= set(models)


@every_endpoint
def test_a_conversation_goes_on(bench: Workbench, name: str) -> None:
    """What it thought goes back as it wants to see it."""
    first = bench.ask("Hi", model=f"{name}/thinks")
    assert bench.ask("And now?", model=f"{name}/thinks", previous=first).output_text == "42."


def test_a_conversation_moves_from_one_to_the_next(bench: Workbench) -> None:
    """Each takes the others' answers, and leaves out the reasoning that it can't read."""
    answer = None
    for name in (*NAMES, *reversed(NAMES)):
        answer = bench.ask("Hi", model=f"{name}/thinks", previous=answer)
    assert answer is not None
    assert answer.output_text == "42."


ENVIRON = {
    "openAI": {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "{}/v1"},
    "anthropic": {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "{}"},
    "google": {"GEMINI_API_KEY": KEY, "GOOGLE_REVERSE_PROXY": "{}/v1beta"},
    "ollama": {"OLLAMA_HOST": "{}", "OLLAMA_API_KEY": KEY},
    "azureOpenAI": {"AZURE_API_KEY": KEY, "AZURE_OPENAI_BASEURL": "{}", "AZURE_OPENAI_MODELS": "text"},
}


@pytest.mark.parametrize("name", ENVIRON)
def test_the_environment_is_enough(
    urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With no config at all."""
    for variable, value in ENVIRON[name].items():
        monkeypatch.setenv(variable, value.format(urls[name]))
    with Workbench(home=home) as bench:
        assert bench.ask("Hi", model=f"{name}/text").output_text == HELLO
