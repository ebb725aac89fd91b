"""What the environment offers with no config at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentbench.config import LOCAL_MODEL, Endpoint, Secret, load
from agentbench.errors import ConfigError


def test_an_empty_environment_has_the_local_model() -> None:
    """One endpoint, one model, one agent, no key."""
    catalog = load(None, {})
    local = Endpoint(name="local", provider="llama_cpp", models=(LOCAL_MODEL,), origin="built in")
    assert dict(catalog.endpoints) == {"local": local}
    assert catalog.default_endpoint == local
    assert (catalog.default_agent.name, catalog.default_agent.instructions) == ("Assistant", None)


def test_a_variable_names_another_local_model() -> None:
    """The file answers in the built-in model's place, under its own name."""
    catalog = load(None, {"AGENTBENCH_LOCAL_MODEL": "models/Qwen3-0.6B.gguf"})
    local = catalog.endpoints["local"]
    assert (local.models, dict(local.files)) == (("Qwen3-0.6B",), {"Qwen3-0.6B": Path("models/Qwen3-0.6B.gguf")})
    assert local.origin == "environment variable AGENTBENCH_LOCAL_MODEL"


def test_a_key_brings_openai() -> None:
    """It lists its models itself, and `local` stays the default."""
    catalog = load(None, {"OPENAI_API_KEY": " sk-1\n"})
    assert catalog.endpoints["openAI"] == Endpoint(
        name="openAI",
        provider="openai_chat",
        base_url="https://api.openai.com/v1",
        api_key=Secret("sk-1"),
        fetch_models=True,
        origin="environment variable OPENAI_API_KEY",
    )
    assert catalog.default_endpoint.name == "local"


@pytest.mark.parametrize(
    ("value", "expected"), [("http://h:1/v1/", "http://h:1/v1"), (" ", "https://api.openai.com/v1")]
)
def test_openai_may_be_elsewhere(value: str, expected: str) -> None:
    """OPENAI_BASE_URL moves it; a blank one does not."""
    catalog = load(None, {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": value})
    assert catalog.endpoint("openAI").base_url == expected


UNSUPPORTED = {
    "ANTHROPIC_API_KEY": ("anthropic", "Anthropic's API is not supported yet. Use another endpoint meanwhile."),
    "GEMINI_API_KEY": ("google", "Google's API is not supported yet. Use another endpoint meanwhile."),
    "GOOGLE_API_KEY": ("google", "Google's API is not supported yet. Use another endpoint meanwhile."),
}


@pytest.mark.parametrize(("variable", "expected"), UNSUPPORTED.items(), ids=UNSUPPORTED)
def test_what_cannot_be_used_yet_is_listed_and_says_so(variable: str, expected: tuple[str, str]) -> None:
    """A key is never silently dropped."""
    endpoint = load(None, {variable: "sk-1"}).endpoint(expected[0])
    assert (endpoint.name, endpoint.unsupported) == expected
    assert endpoint.origin == f"environment variable {variable}"
    assert (endpoint.api_key, endpoint.fetch_models) == (Secret("sk-1"), False)


def test_the_first_of_two_variables_counts() -> None:
    """Both of Google's may be set."""
    google = load(None, {"GOOGLE_API_KEY": "sk-2", "GEMINI_API_KEY": "sk-1"}).endpoint("google")
    assert google.api_key == Secret("sk-1")


HOSTS = {
    "127.0.0.1": "http://127.0.0.1:11434",
    "box:8080": "http://box:8080",
    "0.0.0.0": "http://127.0.0.1:11434",  # noqa: S104 - what an operator writes
    "0.0.0.0:8080": "http://127.0.0.1:8080",
    "https://ollama.example/": "https://ollama.example",
    "http://box:8080": "http://box:8080",
}


@pytest.mark.parametrize(("host", "url"), HOSTS.items())
def test_ollama_says_what_to_write_meanwhile(host: str, url: str) -> None:
    """Whatever form OLLAMA_HOST has, the sentence holds a base URL to copy."""
    endpoint = load(None, {"OLLAMA_HOST": host}).endpoint("ollama")
    assert endpoint.unsupported == (
        f"Ollama's own API is not supported yet. Meanwhile add a custom endpoint with baseURL {url}/v1."
    )
    assert (endpoint.base_url, endpoint.api_key) == (url, None)


def test_a_blank_variable_counts_as_not_set() -> None:
    """An empty key in a shell profile offers nothing."""
    assert list(load(None, {"OPENAI_API_KEY": "", "OLLAMA_HOST": " "}).endpoints) == ["local"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "api.example/v1"},
            "Environment variable OPENAI_BASE_URL: expected a URL such as https://host/v1.",
        ),
        (
            {"OLLAMA_HOST": "a b"},
            "Environment variable OLLAMA_HOST: expected a URL such as https://host/v1.",
        ),
    ],
)
def test_a_wrong_url_in_the_environment_names_its_variable(environ: dict[str, str], expected: str) -> None:
    """There is no file to point at."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ)
    assert caught.value.message == expected
