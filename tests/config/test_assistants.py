"""`endpoints.assistants`: what each key means, there and at Azure, and where the upstream is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config import Secret, load
from agentbench.config.assistants import CAPABILITIES, AssistantSettings
from agentbench.config.check import check
from agentbench.config.config import Config
from agentbench.config.form import fields_at
from agentbench.config.header_templates import fill_headers
from agentbench.config.tuning import Draft
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config.endpoint import Endpoint

KEYS = {
    "disableBuilder": True,
    "pollIntervalMs": 1500,
    "timeoutMs": 60_000,
    "version": 1,
    "supportedIds": ["asst_a", "asst_a"],
    "excludedIds": ["asst_b"],
    "retrievalModels": ["gpt-4o"],
    "capabilities": ["retrieval", "tools"],
}
SETTINGS = AssistantSettings(
    disable_builder=True,
    poll_interval=1.5,
    time_limit=60,
    version="1",
    supported_ids=("asst_a",),
    excluded_ids=("asst_b",),
    retrieval_models=("gpt-4o",),
    capabilities=("retrieval", "tools"),
)


def served(**keys: Any) -> AssistantSettings:
    """Return the settings of the assistants that are served, with these keys."""
    return load({"endpoints": {"assistants": keys}}, {}).assistants


# -- each key ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{}, {"ASSISTANTS_API_KEY": "k"}])
def test_defaults(environ: dict[str, str]) -> None:
    """Without a block the assistants that are made here have the documented values."""
    assert load(None, environ).assistants == load({}, environ).assistants == AssistantSettings()
    assert AssistantSettings().capabilities == CAPABILITIES
    assert (AssistantSettings().poll_interval, AssistantSettings().time_limit) == (2, 180)


@pytest.mark.parametrize("name", ["assistants", "azureAssistants"])
def test_every_key_takes_effect(name: str) -> None:
    """Both blocks say the same of their endpoint; `assistants` also of what is served here."""
    catalog = load({"endpoints": {name: KEYS}}, {})
    assert catalog.endpoints[name].assistants == SETTINGS
    assert catalog.assistants == (SETTINGS if name == "assistants" else AssistantSettings())


def test_keys_of_what_is_served() -> None:
    """Code, its limits and the substitutes are about this machine, so `azureAssistants` hasn't them."""
    found = served(codeInterpreter=True, codeInterpreterTime=1.5, codeInterpreterMemory=64, substitutes={})
    assert (found.code_interpreter, found.code_seconds, found.code_memory) == (True, 1.5, 64)
    assert (found.substitutes, served().substitutes) == ({}, None)
    with pytest.raises(ConfigError, match="unknown key"):
        load({"endpoints": {"azureAssistants": {"codeInterpreter": True}}}, {})


def test_no_capability_at_all() -> None:
    """An empty list of them is a list: assistants may just talk."""
    assert served(capabilities=[]).capabilities == ()


WRONG = [
    ("timeoutMs: 0", "expected a number of at least 1"),
    ("pollIntervalMs: 0", "expected a number of at least 1"),
    ("pollIntervalMs: 1.5", "expected a whole number, found a number"),
    ("version: 3", "expected 1 or 2"),
    ("supportedIds: []", "expected at least one entry"),
    ("excludedIds: []", "expected at least one entry"),
    ("retrievalModels: []", "expected at least one entry"),
    ("supportedIds: asst_a", "expected a list, found text"),
    ("disableBuilder: 1", "expected true or false, found a number"),
    ("codeInterpreterTime: 0", "expected a number greater than 0"),
    ("codeInterpreterTime: .nan", "expected a number of at most 3600"),
    ("codeInterpreterMemory: 1", "expected a number of at least 64"),
    ("substitutes: [guide]", "expected a mapping, found a list"),
    ("disablebuilder: true", "unknown key. Did you mean 'disableBuilder'?"),
]


@pytest.mark.parametrize(("line", "expected"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_values(refused: Callable[..., str], line: str, expected: str) -> None:
    """They are refused with file, line and key."""
    key = line.partition(":")[0]
    told = refused(f"endpoints:\n  assistants:\n    streamRate: 1\n    {line}\n")
    assert told == f"agentbench.yaml:4:5: endpoints.assistants.{key}: {expected}"


KNOWN = "code_interpreter, image_vision, retrieval, actions, tools"


def test_an_unknown_capability(refused: Callable[..., str]) -> None:
    """The nearest one is named, or all of them."""
    told = refused("endpoints:\n  assistants:\n    capabilities: [retrieval, tool, x]\n").splitlines()
    assert told == [
        "agentbench.yaml:3:31: endpoints.assistants.capabilities[1]: unknown capability. Did you mean 'tools'?",
        f"agentbench.yaml:3:37: endpoints.assistants.capabilities[2]: unknown capability. Known: {KNOWN}.",
    ]


SUBSTITUTES = {
    "guide": None,
    "router/m": None,
    "Router/m": None,
    "local/anything": "There is no model 'anything'. Known: smollm2-135m-instruct.",
    "giude": "There is no agent 'giude'. Did you mean 'guide'?",
    "roter/m": "There is no endpoint 'roter'. Did you mean 'router'?",
    "router": "expected an agent or ENDPOINT/MODEL, such as 'router/m'",
    "openAI/gpt-5": "The endpoint 'openAI' is there when OPENAI_API_KEY is set.",
}


@pytest.mark.parametrize(("name", "expected"), SUBSTITUTES.items(), ids=SUBSTITUTES)
def test_substitutes(name: str, expected: str | None) -> None:
    """Who answers for a model must be there."""
    custom = [{"name": "router", "baseURL": "http://h/v1", "models": ["m"]}]
    block = {"substitutes": {"gpt-4o": name}}
    config = {"agents": [{"id": "guide"}], "endpoints": {"custom": custom, "assistants": block}}
    if expected is None:
        assert load(config, {}).assistants.substitutes == {"gpt-4o": name}
        return
    with pytest.raises(ConfigError) as caught:
        load(config, {})
    assert caught.value.message == f"endpoints.assistants.substitutes.gpt-4o: {expected}"


# -- keys without effect ----------------------------------------------------------------------------------------------

BOTH = "    supportedIds: [asst_a]\n    excludedIds: [asst_b]\n"
LISTS = "It has no effect, because supportedIds is set."
PRIVATE = "It has no effect, because privateAssistants is on: everybody has just their own."


@pytest.mark.parametrize("name", ["assistants", "azureAssistants"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (BOTH, {4: ("excludedIds", LISTS)}),
        (f"{BOTH}    privateAssistants: true\n", {3: ("supportedIds", PRIVATE), 4: ("excludedIds", PRIVATE)}),
        ("    excludedIds: [asst_b]\n    privateAssistants: false\n", {}),
    ],
    ids=["both lists", "private", "one list"],
)
def test_lists_without_effect(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, keys: str, expected: dict[int, tuple[str, str]]
) -> None:
    """The log tells so once, with the place, and the check calls them ignored."""
    (folder / "a.yaml").write_text(f"endpoints:\n  {name}:\n{keys}")
    with caplog.at_level(logging.WARNING, "agentbench"):
        load("a.yaml", {})
    told = {line: f"a.yaml:{line}: endpoints.{name}.{key}: {why}" for line, (key, why) in expected.items()}
    assert caplog.messages == [*told.values()]
    ignored = {each.key: each.note for each in check(Path("a.yaml"), {}) if each.state == "ignored"}
    assert ignored == {f"endpoints.{name}.{key}": why for key, why in expected.values()}


# -- the endpoint `assistants` ----------------------------------------------------------------------------------------

OPENAI = "https://api.openai.com/v1"
WITHOUT = (
    "assistants has no key. Set ASSISTANTS_API_KEY, or endpoints.assistants.apiKey in the config. A server that wants"
    " no key needs just baseURL; assistants made here need neither."
)
UPSTREAMS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str | None, Secret | None, str | None]]] = {
    "a key": ({}, {"ASSISTANTS_API_KEY": "k"}, (OPENAI, Secret("k"), None)),
    "a key and an address": (
        {},
        {"ASSISTANTS_API_KEY": "k", "ASSISTANTS_BASE_URL": "http://h/v1/"},
        ("http://h/v1", Secret("k"), None),
    ),
    "the block wins": (
        {"apiKey": "own", "baseURL": "http://own/v1"},
        {"ASSISTANTS_API_KEY": "k", "ASSISTANTS_BASE_URL": "http://h/v1"},
        ("http://own/v1", Secret("own"), None),
    ),
    "a server without keys": ({"baseURL": "http://h/v1"}, {}, ("http://h/v1", None, None)),
    "its address from outside": (
        {"streamRate": 1},
        {"ASSISTANTS_BASE_URL": "http://h/v1"},
        ("http://h/v1", None, None),
    ),
    "neither": ({"streamRate": 1}, {}, (OPENAI, None, WITHOUT)),
    "each person's own": (
        {},
        {"ASSISTANTS_API_KEY": "user_provided"},
        (OPENAI, None, "assistants wants a key of your own: bench.config.set('assistants.apiKey', …)."),
    ),
}


def assistants(block: dict[str, Any], environ: dict[str, str]) -> Endpoint:
    """Return the endpoint, with a block if there are keys."""
    return load({"endpoints": {"assistants": block}} if block else None, environ).endpoints["assistants"]


@pytest.mark.parametrize(("block", "environ", "expected"), UPSTREAMS.values(), ids=UPSTREAMS)
def test_where_the_upstream_is(
    block: dict[str, Any], environ: dict[str, str], expected: tuple[str | None, Secret | None, str | None]
) -> None:
    """A key or an address makes one; a block alone is listed with what it lacks."""
    found = assistants(block, environ)
    assert (found.base_url, found.api_key, found.unsupported) == expected
    assert (found.provider, found.assistants) == ("assistants", AssistantSettings())


def test_nothing_said() -> None:
    """Neither endpoint is there, and an address alone in the environment brings none."""
    assert list(load(None, {"ASSISTANTS_BASE_URL": "http://h/v1"}).endpoints) == ["local"]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({"default": ["asst_a", "asst_b"]}, (("asst_a", "asst_b"), False)),
        ({"default": ["asst_a"], "fetch": True}, (("asst_a",), True)),
        ({"default": ["gpt-4o"], "fetch": False}, ((), True)),
    ],
)
def test_its_models_are_assistants(models: dict[str, Any], expected: tuple[tuple[str, ...], bool]) -> None:
    """Ids are listed; names of the models that assistants are on, as librechat.yaml has them, are not."""
    found = assistants({"apiKey": "k", "models": models}, {})
    assert (found.models, found.fetch_models) == expected


def test_shared_keys_hold_for_the_upstream() -> None:
    """They are merged as any endpoint's, `all` first."""
    written = {"assistants": {"apiKey": "k", "streamRate": 9, "titleConvo": True, "maxToolResultChars": 5}}
    found = load({"endpoints": {**written, "all": {"streamRate": 4, "headers": {"X-A": "1"}}}}, {})
    endpoint = found.endpoints["assistants"]
    assert (endpoint.stream_rate, endpoint.titles.enabled, endpoint.max_tool_result_chars) == (4, True, 5)
    assert fill_headers(endpoint.header_templates, {}) == {"X-A": "1"}


# -- the session and the form -----------------------------------------------------------------------------------------


def test_a_session_sets_what_no_file_has() -> None:
    """The served assistants have settings without a block; taken back, the defaults hold again."""
    config = Config(None, {})
    assert config.explain("Assistants", "timeoutMs").value == 180_000
    setting = config.set("assistants.codeInterpreter", value=True)
    assert (setting and setting.layer, config.catalog.assistants.code_interpreter) == ("session", True)
    config.unset("assistants.codeInterpreter")
    assert config.catalog.assistants == AssistantSettings()
    assert list(config.catalog.endpoints) == ["local"]


def test_a_session_overrides_the_file() -> None:
    """It wins over the block, and what doesn't fit changes nothing."""
    config = Config({"endpoints": {"assistants": {"timeoutMs": 5000}}}, {})
    config.set("assistants.timeoutMs", 7000)
    with pytest.raises(ConfigError, match="at least 1"):
        config.set("assistants.timeoutMs", 0)
    assert config.catalog.assistants.time_limit == 7


def test_the_controls() -> None:
    """Every key has the control of its type."""
    kinds = {each.key: each.kind for each in fields_at(("endpoints", "assistants"))}
    assert [kinds[key] for key in ("supportedIds", "retrievalModels", "capabilities")] == ["list"] * 3
    assert [kinds[key] for key in ("disableBuilder", "privateAssistants", "codeInterpreter")] == ["boolean"] * 3
    assert (kinds["substitutes"], kinds["timeoutMs"]) == ("mapping", "integer")
    assert (kinds["codeInterpreterTime"], kinds["version"]) == ("number", "text")


def test_the_form() -> None:
    """A form changes lists and mappings, also to a mapping with nothing in it, and says what is wrong."""
    draft = Draft(Config({}, {}))
    draft.put("assistants", "capabilities", ["tools", ""])
    draft.put("assistants", "substitutes", {})
    draft.apply()
    settings = draft.config.catalog.assistants
    assert (settings.capabilities, settings.substitutes) == (("tools",), {})
    draft.put("assistants", "substitutes", {"*": "nobody"})
    known = "assistant, local/MODEL, assistants/MODEL"
    told = f"endpoints.assistants.substitutes.*: There is no agent 'nobody'. Known: {known}."
    assert draft.problems == (told,)
