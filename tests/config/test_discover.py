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


KEYS = {
    "ANTHROPIC_API_KEY": ("anthropic", "https://api.anthropic.com/v1"),
    "GEMINI_API_KEY": ("google", "https://generativelanguage.googleapis.com/v1beta"),
    "GOOGLE_API_KEY": ("google", "https://generativelanguage.googleapis.com/v1beta"),
}


@pytest.mark.parametrize(("variable", "expected"), KEYS.items(), ids=KEYS)
def test_a_key_brings_its_provider(variable: str, expected: tuple[str, str]) -> None:
    """Each speaks its own wire format."""
    endpoint = load(None, {variable: "sk-1"}).endpoint(expected[0])
    assert (endpoint.provider, endpoint.base_url) == expected
    assert endpoint.origin == f"environment variable {variable}"
    assert (endpoint.api_key, endpoint.fetch_models, endpoint.unsupported) == (Secret("sk-1"), True, None)


def test_a_bearer_token_brings_bedrock() -> None:
    """It says where it is missing a region, and then needs nothing more."""
    alone = load(None, {"AWS_BEARER_TOKEN_BEDROCK": "t"}).endpoint("bedrock")
    assert alone.unsupported == (
        "bedrock has no region. Set BEDROCK_AWS_DEFAULT_REGION or AWS_REGION or AWS_DEFAULT_REGION,"
        " or endpoints.bedrock.region in the config."
    )
    placed = load(None, {"AWS_BEARER_TOKEN_BEDROCK": "t", "AWS_REGION": "eu-west-1"}).endpoint("bedrock")
    assert (placed.region, placed.unsupported) == ("eu-west-1", None)


def test_variables_list_models() -> None:
    """As LibreChat's do; the first is the default one."""
    endpoint = load(None, {"OPENAI_API_KEY": "sk-1", "OPENAI_MODELS": "gpt-5, gpt-5-mini,"}).endpoint("openAI")
    assert (endpoint.models, endpoint.default_model) == (("gpt-5", "gpt-5-mini"), "gpt-5")


def test_each_person_may_give_their_own() -> None:
    """LibreChat's word for it is no key."""
    endpoint = load(None, {"OPENAI_API_KEY": "user_provided"}).endpoint("openAI")
    assert (endpoint.api_key, endpoint.personal) == (None, True)
    assert endpoint.unsupported == "openAI wants a key of your own: bench.config.set('openAI.apiKey', …)."


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
def test_ollama_is_where_its_host_says(host: str, url: str) -> None:
    """Whatever form OLLAMA_HOST has; a key is for Ollama's cloud."""
    endpoint = load(None, {"OLLAMA_HOST": host}).endpoint("ollama")
    assert (endpoint.base_url, endpoint.api_key, endpoint.unsupported) == (url, None, None)


def test_ollama_by_the_name_that_open_webui_has_for_it() -> None:
    """OLLAMA_BASE_URL is as good as OLLAMA_HOST, and wins over it."""
    environ = {"OLLAMA_BASE_URL": "http://gpu:11434", "OLLAMA_HOST": "127.0.0.1"}
    endpoint = load(None, environ).endpoint("ollama")
    assert (endpoint.base_url, endpoint.origin) == ("http://gpu:11434", "environment variable OLLAMA_BASE_URL")


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
