"""What a right config becomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentbench.config import LOCAL_MODEL, Catalog, ModelParameters, Secret, load, script
from agentbench.config.header_templates import fill_headers
from agentbench.config.script import Text

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = """\
version: "1.0"
endpoints:
  custom:
    - name: vLLM
      baseURL: http://localhost:8000/v1/
      apiKey: ${VLLM_KEY}
      models: {default: [qwen, qwen, llama], fetch: true}
      headers:
        X-Team: "  blue "
    - name: Responses
      baseURL: https://host/v1
      models: {default: [gpt-5]}
      useResponsesApi: true
  local:
    models:
      - {name: tiny, path: models/tiny.gguf, contextLength: 4096}
      - {name: big, path: /models/big.gguf}
  scripted:
    models:
      greeting: [{text: Hello}]
agents:
  - id: writer
    name: Writer
    description: Writes.
    instructions: Be brief.
    endpoint: vllm
    model: unlisted
    model_parameters: {temperature: 0, max_output_tokens: 100}
    tools: [search, search, calculator]
  - id: helper
"""


@pytest.fixture
def full(loaded: Callable[..., Catalog]) -> Catalog:
    """Load a file that uses every section."""
    return loaded(FULL, VLLM_KEY="sk-1", OPENAI_API_KEY="sk-2")


def test_endpoints_come_in_the_order_to_show_them(full: Catalog) -> None:
    """First what is there anyway, then the file's."""
    assert list(full.endpoints) == ["local", "openAI", "vLLM", "Responses", "scripted"]


def test_a_custom_endpoint_keeps_what_was_written(full: Catalog) -> None:
    """The URL loses its last slash, a repeated model is listed once, a header value is trimmed."""
    endpoint = full.endpoint("vLLM")
    assert endpoint.provider == "openai_chat"
    assert endpoint.base_url == "http://localhost:8000/v1"
    assert endpoint.api_key == Secret("sk-1")
    assert (endpoint.models, endpoint.fetch_models) == (("qwen", "llama"), True)
    assert fill_headers(endpoint.header_templates, {}) == {"X-Team": "blue"}
    assert endpoint.origin == "agentbench.yaml:4"


def test_an_endpoint_can_speak_responses(full: Catalog) -> None:
    """`useResponsesApi` chooses the provider; no key is fine."""
    endpoint = full.endpoint("Responses")
    assert (endpoint.provider, endpoint.api_key) == ("openai_responses", None)
    assert (endpoint.default_model, endpoint.fetch_models) == ("gpt-5", False)


def test_local_models_come_before_the_built_in_one(full: Catalog, folder: Path) -> None:
    """A relative path starts at the file's folder."""
    local = full.endpoint("local")
    assert local.models == ("tiny", "big", LOCAL_MODEL)
    assert dict(local.files) == {"tiny": Path("models/tiny.gguf"), "big": Path("/models/big.gguf")}
    assert dict(local.context_lengths) == {"tiny": 4096}
    assert local.origin == "agentbench.yaml:14"


def test_scripts_are_the_models_of_their_endpoint(full: Catalog) -> None:
    """The `scripted` endpoint is there when the file has scripts."""
    scripted = full.endpoint("scripted")
    assert (scripted.provider, scripted.models) == ("scripted", ("greeting",))
    assert scripted.scripts["greeting"].turns == ((Text("Hello"),),)


def test_an_agent_keeps_what_was_written(full: Catalog) -> None:
    """The endpoint's name gets its own spelling; any model will do where the endpoint lists more itself."""
    agent = full.agent("writer")
    assert (agent.name, agent.description, agent.instructions) == ("Writer", "Writes.", "Be brief.")
    assert (agent.endpoint, agent.model) == ("vLLM", "unlisted")
    assert agent.parameters == ModelParameters(temperature=0.0, max_output_tokens=100)
    assert agent.tools == ("search", "calculator")


def test_an_agent_needs_only_an_id(full: Catalog) -> None:
    """The rest is left to the default endpoint."""
    agent = full.agent("helper")
    assert (agent.name, agent.endpoint, agent.model, agent.tools) == ("helper", None, None, ())


def test_the_first_agent_gives_the_defaults(full: Catalog) -> None:
    """Its endpoint is the default one."""
    assert (full.default_agent.id, full.default_endpoint.name) == ("writer", "vLLM")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n", "endpoints:\nagents:\n", "\ufeffagents: []\n"])
def test_an_empty_file_is_as_good_as_none(loaded: Callable[..., Catalog], text: str) -> None:
    """Nothing written, or keys with nothing below, changes nothing."""
    assert loaded(text) == load(None, {})


def test_a_local_model_may_replace_the_built_in_file(loaded: Callable[..., Catalog]) -> None:
    """The same name is listed once, with the operator's file."""
    local = loaded(f"endpoints: {{local: {{models: [{{name: {LOCAL_MODEL}, path: a.gguf}}]}}}}").endpoint("local")
    assert (local.models, dict(local.files)) == ((LOCAL_MODEL,), {LOCAL_MODEL: Path("a.gguf")})


def test_a_home_folder_is_found(loaded: Callable[..., Catalog], monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may start with a tilde."""
    monkeypatch.setenv("HOME", "/home/me")
    local = loaded("endpoints: {local: {models: [{name: a, path: ~/a.gguf}]}}").endpoint("local")
    assert local.files["a"] == Path("/home/me/a.gguf")


def test_a_custom_endpoint_takes_the_place_of_ollama(loaded: Callable[..., Catalog]) -> None:
    """What the file names wins over what the environment offers but agentbench can't use yet."""
    catalog = loaded(
        "endpoints: {custom: [{name: Ollama, baseURL: 'http://h:11434/v1', models: {fetch: true}}]}",
        OLLAMA_HOST="h",
    )
    assert list(catalog.endpoints) == ["local", "Ollama"]
    assert catalog.endpoint("ollama").unsupported is None


def test_anchors_and_merge_keys_work(loaded: Callable[..., Catalog]) -> None:
    """Honest use of YAML's own reuse is welcome, booleans included."""
    catalog = loaded(
        "endpoints:\n  custom:\n"
        "    - &one {name: one, baseURL: 'http://h/v1', models: {fetch: &yes true}}\n"
        "    - {<<: *one, name: two, useResponsesApi: *yes}\n"
    )
    assert catalog.endpoint("two").base_url == "http://h/v1"
    assert catalog.endpoint("two").provider == "openai_responses"


def test_a_date_is_text(loaded: Callable[..., Catalog]) -> None:
    """A model may be named like a day."""
    catalog = loaded("endpoints: {custom: [{name: a, baseURL: 'http://h', models: {default: [2024-11-20]}}]}")
    assert catalog.endpoint("a").models == ("2024-11-20",)


def test_the_environment_may_name_the_file(loaded: Callable[..., Catalog]) -> None:
    """AGENTBENCH_CONFIG counts when no source is given, and only then."""
    loaded("agents: [{id: named}]")
    environ = {"AGENTBENCH_CONFIG": "agentbench.yaml"}
    assert load(None, environ).default_agent.id == "named"
    assert load({}, environ).default_agent.id == "assistant"


def test_a_path_below_another_folder_moves_relative_paths(folder: Path) -> None:
    """Local files are looked for beside their config."""
    (folder / "conf").mkdir()
    text = "endpoints: {local: {models: [{name: a, path: a.gguf}]}}"
    (folder / "conf" / "x.yaml").write_text(text)
    local = load(Path("conf/x.yaml"), {}).endpoint("local")
    assert (local.files["a"], local.origin) == (Path("conf/a.gguf"), "conf/x.yaml:1")


def test_a_mapping_from_python_may_hold_python_values() -> None:
    """Tuples, paths and finished scripts are taken as they are."""
    hello = script([{"text": "Hello"}])
    catalog = load(
        {
            "endpoints": {
                "local": {"models": ({"name": "a", "path": Path("a.gguf")},)},
                "scripted": {"models": {"hello": hello}},
            }
        },
        {},
    )
    assert catalog.endpoint("local").files["a"] == Path("a.gguf")
    assert catalog.endpoint("scripted").scripts["hello"] is hello
    assert catalog.endpoint("scripted").origin == "Python"
