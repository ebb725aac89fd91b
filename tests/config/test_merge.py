"""Who wins: the examples of the documented rules, and what follows from them, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from agentbench.config.config import Config
from agentbench.config.effective import endpoint_for
from agentbench.config.explain import shown
from agentbench.config.settings import Titles

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "GEMINI_API_KEY": "sk-3", "OLLAMA_HOST": "h"}

# The second example of LibreChat's page on shared settings: what `all` sets is overridden, the rest is kept.
OVERRIDE = {
    "openAI": {"streamRate": 25, "titleModel": "gpt-4", "titleConvo": False},
    "all": {"titleConvo": True, "titleModel": "gpt-3.5-turbo"},
}
# The page's first example, in its own values but for the words of the prompts.
WHOLE = {
    "openAI": {
        "streamRate": 25,
        "titleModel": "gpt-4o-mini",
        "titleMethod": "completion",
        "titleTiming": "immediate",
        "titlePrompt": "Name this: {convo}",
        "headers": {"X-Gateway-Metadata": '{"user_email":"{{LIBRECHAT_USER_EMAIL}}"}'},
    },
    "anthropic": {
        "streamRate": 25,
        "titleModel": "claude-3-5-haiku-20241022",
        "titleMethod": "completion",
        "headers": {"X-Conversation-Id": "{{LIBRECHAT_BODY_CONVERSATIONID}}"},
    },
    "google": {
        "streamRate": 1,
        "titleModel": "gemini-2.0-flash-lite",
        "titlePromptTemplate": "Human: {input}\nAssistant: {output}",
        "headers": {"X-Gateway-Metadata": '{"user_id":"{{LIBRECHAT_USER_ID}}"}'},
    },
    "bedrock": {"streamRate": 25, "titleModel": "us.amazon.nova-lite-v1:0", "titleEndpoint": "anthropic"},
    "assistants": {"streamRate": 30},
    "azureAssistants": {"streamRate": 30},
    "all": {
        "headers": {"X-App": "librechat"},
        "titleConvo": True,
        "titleModel": "gpt-4.1-nano",
        "titleTiming": "immediate",
        "titlePrompt": "Title with an emoji: {convo}",
    },
}
LISTED: dict[str, Any] = {"name": "router", "baseURL": "http://h/v1", "models": ["m"]}
CUSTOM: dict[str, Any] = {
    "custom": [{**LISTED, "streamRate": 9, "headers": {"X-Own": "1"}}],
    "all": {"streamRate": 4, "titleConvo": True, "headers": {"X-App": "a"}},
}
HEADERS: dict[str, Any] = {
    "openAI": {"headers": {"x-app": "own", "X-Only": "o"}},
    "all": {"headers": {"X-App": "all", "X-More": "m"}},
}
BETAS: dict[str, Any] = {
    "anthropic": {"headers": {"Anthropic-Beta": "b, c"}},
    "all": {"headers": {"anthropic-beta": "a,b"}},
}
AGENTS: dict[str, Any] = {
    "openAI": {"streamRate": 1, "titleModel": "own", "maxToolResultChars": 10, "headers": {"X-A": "own"}},
    "agents": {
        "streamRate": 2,
        "titleModel": "agents",
        "titleTiming": "final",
        "headers": {"X-A": "agents", "X-B": "b"},
    },
    "all": {"titleModel": "all"},
}


class Case(NamedTuple):
    """What a key of an endpoint is, who says so, and what it overrode."""

    endpoints: dict[str, Any]
    name: str
    expected: str
    layer: str
    overrode: tuple[str, ...] = ("default",)
    agent: dict[str, Any] | None = None


EMPTY: dict[str, Any] = {}
PROMPT = "Title with an emoji: {convo}"
OWN = ("endpoint", "default")
AGENT = {"titleModel": "mine", "streamRate": 0}

CASES = {
    # the page's second example
    "docs: streamRate is preserved": Case(OVERRIDE, "openAI.streamRate", "25", "endpoint"),
    "docs: titleModel is overridden": Case(OVERRIDE, "openAI.titleModel", "gpt-3.5-turbo", "all", OWN),
    "docs: titleConvo is overridden": Case(OVERRIDE, "openAI.titleConvo", "true", "all", OWN),
    "docs: all reaches endpoints with no block": Case(OVERRIDE, "anthropic.titleModel", "gpt-3.5-turbo", "all"),
    "docs: a default stays where nobody speaks": Case(OVERRIDE, "anthropic.streamRate", "1", "default", ()),
    # the page's first example
    "docs: openAI keeps its rate": Case(WHOLE, "openAI.streamRate", "25", "endpoint"),
    "docs: anthropic keeps its rate": Case(WHOLE, "anthropic.streamRate", "25", "endpoint"),
    "docs: google keeps its rate": Case(WHOLE, "google.streamRate", "1", "endpoint"),
    "docs: bedrock keeps its rate": Case(WHOLE, "bedrock.streamRate", "25", "endpoint"),
    "docs: openAI's title model": Case(WHOLE, "openAI.titleModel", "gpt-4.1-nano", "all", OWN),
    "docs: anthropic's title model": Case(WHOLE, "anthropic.titleModel", "gpt-4.1-nano", "all", OWN),
    "docs: google's title model": Case(WHOLE, "google.titleModel", "gpt-4.1-nano", "all", OWN),
    "docs: bedrock's title model": Case(WHOLE, "bedrock.titleModel", "gpt-4.1-nano", "all", OWN),
    "docs: openAI's prompt": Case(WHOLE, "openAI.titlePrompt", PROMPT, "all", OWN),
    "docs: google's prompt": Case(WHOLE, "google.titlePrompt", PROMPT, "all"),
    "docs: openAI's timing": Case(WHOLE, "openAI.titleTiming", "immediate", "all", OWN),
    "docs: openAI's method is preserved": Case(WHOLE, "openAI.titleMethod", "completion", "endpoint"),
    "docs: google's template is preserved": Case(
        WHOLE, "google.titlePromptTemplate", "Human: {input}\nAssistant: {output}", "endpoint"
    ),
    "docs: bedrock's title endpoint is preserved": Case(WHOLE, "bedrock.titleEndpoint", "anthropic", "endpoint"),
    "docs: titles are on everywhere": Case(WHOLE, "local.titleConvo", "true", "all"),
    "docs: the headers of all go to openAI": Case(WHOLE, "openAI.headers.X-App", "librechat", "all", ()),
    "docs: and to google": Case(WHOLE, "google.headers.X-App", "librechat", "all", ()),
    "docs: and to endpoints without headers": Case(WHOLE, "bedrock.headers.X-App", "librechat", "all", ()),
    "docs: an endpoint's header stays beside them": Case(
        WHOLE, "anthropic.headers.X-Conversation-Id", "{{LIBRECHAT_BODY_CONVERSATIONID}}", "endpoint", ()
    ),
    # the defaults that the page names
    "default rate": Case(EMPTY, "openAI.streamRate", "1", "default", ()),
    "default of titles": Case(EMPTY, "openAI.titleConvo", "false", "default", ()),
    "default timing": Case(EMPTY, "openAI.titleTiming", "immediate", "default", ()),
    "default model": Case(EMPTY, "openAI.titleModel", "", "default", ()),
    "default method": Case(EMPTY, "openAI.titleMethod", "completion", "default", ()),
    "default template": Case(EMPTY, "openAI.titlePromptTemplate", "User: {input}\nAI: {output}", "default", ()),
    "default title endpoint": Case(EMPTY, "openAI.titleEndpoint", "", "default", ()),
    "default limit of results": Case(EMPTY, "openAI.maxToolResultChars", "", "default", ()),
    "default headers": Case(EMPTY, "openAI.headers", "", "default", ()),
    "the default address": Case(EMPTY, "anthropic.baseURL", "https://api.anthropic.com/v1", "default", ()),
    # a value that looks like nothing is one
    "zero in all counts": Case({"openAI": {"streamRate": 25}, "all": {"streamRate": 0}}, "openAI.streamRate", "0", "all", OWN),
    "zero in an endpoint counts": Case({"openAI": {"streamRate": 0}}, "openAI.streamRate", "0", "endpoint"),
    "false in all counts": Case({"openAI": {"titleConvo": True}, "all": {"titleConvo": False}}, "openAI.titleConvo", "false", "all", OWN),
    "false in an endpoint counts": Case({"openAI": {"titleConvo": False}}, "openAI.titleConvo", "false", "endpoint"),
    "a key without a value does not": Case({"openAI": {"titleModel": "a"}, "all": {"titleModel": None}}, "openAI.titleModel", "a", "endpoint"),
    "an empty all changes nothing": Case({"openAI": {"titleModel": "a"}, "all": {}}, "openAI.titleModel", "a", "endpoint"),
    "an all with only headers hides nothing": Case({"openAI": {"titleConvo": True}, "all": {"headers": {"X": "1"}}}, "openAI.titleConvo", "true", "endpoint"),
    "all overrides results too": Case({"openAI": {"maxToolResultChars": 9}, "all": {"maxToolResultChars": 5}}, "openAI.maxToolResultChars", "5", "all", OWN),
    "and time-outs": Case({"openAI": {"silenceTimeout": 9}, "all": {"silenceTimeout": 5}}, "openAI.silenceTimeout", "5", "all", OWN),
    "and titles' endpoint": Case({"openAI": {"titleEndpoint": "google"}, "all": {"titleEndpoint": "local"}}, "openAI.titleEndpoint", "local", "all", OWN),
    "one endpoint's block is no other's": Case({"openAI": {"titleModel": "a"}}, "anthropic.titleModel", "", "default", ()),
    "what only an endpoint has stays": Case({"openAI": {"useResponsesApi": True}, "all": {"streamRate": 5}}, "openAI.useResponsesApi", "true", "endpoint"),
    # every kind of endpoint
    "custom": Case(CUSTOM, "router.streamRate", "4", "all", OWN),
    "custom takes titles": Case(CUSTOM, "router.titleConvo", "true", "all"),
    "custom takes the headers of all": Case(CUSTOM, "router.headers.X-App", "a", "all", ()),
    "custom keeps its headers": Case(CUSTOM, "router.headers.X-Own", "1", "endpoint", ()),
    "local": Case({"local": {"titleConvo": True}}, "local.titleConvo", "true", "endpoint"),
    "local by all": Case({"all": {"titleConvo": True}}, "local.titleConvo", "true", "all"),
    "ollama": Case({"ollama": {"streamRate": 7}}, "ollama.streamRate", "7", "endpoint"),
    "scripted": Case({"scripted": {"models": {"a": [{"text": "hi"}]}, "titleModel": "a"}}, "scripted.titleModel", "a", "endpoint"),
    "the environment gives an address": Case(EMPTY, "ollama.baseURL", "http://h:11434", "environment"),
    "a block overrides the environment": Case({"ollama": {"baseURL": "http://x:1"}}, "ollama.baseURL", "http://x:1", "endpoint", ("environment", "default")),
    "a key is never shown": Case({"openAI": {"apiKey": "sk-secret"}}, "openAI.apiKey", "****", "endpoint", ("environment", "default")),
    # headers, one by one
    "of two equal headers the endpoint's wins": Case(HEADERS, "openAI.headers.X-App", "own", "endpoint", ("all",)),
    "in any case": Case(HEADERS, "openAI.headers.x-APP", "own", "endpoint", ("all",)),
    "the others are kept": Case(HEADERS, "openAI.headers.X-More", "m", "all", ()),
    "and those of the endpoint": Case(HEADERS, "openAI.headers.X-Only", "o", "endpoint", ()),
    "all of them": Case(HEADERS, "openAI.headers", "X-More: m, x-app: own, X-Only: o", "endpoint", ()),
    "elsewhere all's hold": Case(HEADERS, "google.headers", "X-App: all, X-More: m", "all", ()),
    "betas are united": Case(BETAS, "anthropic.headers.anthropic-beta", "a,b,b, c", "endpoint", ("all",)),
    "betas of all alone": Case(BETAS, "openAI.headers.anthropic-beta", "a,b", "all", ()),
    "a secret header is masked": Case({"openAI": {"headers": {"Authorization": "Bearer abc"}}}, "openAI.headers.authorization", "****", "endpoint", ()),
    # where an agent answers
    "the agents' block over an endpoint's": Case(AGENTS, "openAI.streamRate", "2", "agents", OWN, EMPTY),
    "not where a bare model answers": Case(AGENTS, "openAI.streamRate", "1", "endpoint"),
    "all over the agents' block": Case(AGENTS, "openAI.titleModel", "all", "all", ("agents", *OWN), EMPTY),
    "the agents' block over defaults": Case(AGENTS, "openAI.titleTiming", "final", "agents", ("default",), EMPTY),
    "an endpoint's header over the agents'": Case(AGENTS, "openAI.headers.X-A", "own", "endpoint", ("agents",), EMPTY),
    "the agents' other header": Case(AGENTS, "openAI.headers.X-B", "b", "agents", (), EMPTY),
    "what only the endpoint says": Case(AGENTS, "openAI.maxToolResultChars", "10", "endpoint", ("default",), EMPTY),
    "an agent over all": Case(AGENTS, "openAI.titleModel", "mine", "agent", ("all", "agents", *OWN), AGENT),
    "an agent's zero": Case(AGENTS, "openAI.streamRate", "0", "agent", ("agents", *OWN), AGENT),
    "an agent's header over the endpoint's": Case(AGENTS, "openAI.headers.x-a", "mine", "agent", ("endpoint", "agents"), {"headers": {"x-a": "mine"}}),
    "an agent at another endpoint": Case(AGENTS, "local.titleModel", "mine", "agent", ("all", "agents", "default"), AGENT),
}  # fmt: skip


def config(case: Case) -> Config:
    """Return the config of a case."""
    agents = [] if case.agent is None else [{"id": "a", **case.agent}]
    return Config({"endpoints": case.endpoints, "agents": agents}, ENVIRON)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_right_layer_wins(case: Case) -> None:
    """The value, the layer that says so, and the layers that it overrode, the nearest first."""
    endpoint, _, key = case.name.partition(".")
    setting = config(case).explain(endpoint, key, agent=None if case.agent is None else "a")
    told = (shown(setting.key, setting.value), setting.layer, tuple(each.layer for each in setting.overrode))
    assert told == (case.expected, case.layer, case.overrode)


def test_places_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting says the file and line that it was written in, what it overrode too."""
    monkeypatch.chdir(tmp_path)
    text = "endpoints:\n  openAI:\n    titleModel: a\n  all:\n    titleModel: b\n    headers: {X-App: c}\n"
    (tmp_path / "agentbench.yaml").write_text(text)
    explain = Config("agentbench.yaml", ENVIRON).explain
    model = explain("openAI", "titleModel")
    assert (model.origin, [each.origin for each in model.overrode]) == (
        "agentbench.yaml:5",
        ["agentbench.yaml:3", "built in"],
    )
    assert explain("openAI", "headers.X-App").origin == "agentbench.yaml:6"
    assert explain("openAI", "apiKey").origin == "environment variable OPENAI_API_KEY"


def test_one_frozen_endpoint_comes_out() -> None:
    """All that the layers say is in it, under the names of the code."""
    catalog = config(Case(WHOLE, "", "", "")).catalog
    endpoint = catalog.endpoint("openAI")
    assert (endpoint.stream_rate, endpoint.titles) == (
        25,
        Titles(enabled=True, model="gpt-4.1-nano", prompt=PROMPT),
    )
    assert sorted(endpoint.header_templates) == ["X-App", "X-Gateway-Metadata"]


def test_an_agent_gets_its_own() -> None:
    """The endpoint that an agent's turn uses has the agent's settings; others' turns don't."""
    catalog = config(Case(AGENTS, "", "", "", (), AGENT)).catalog
    openai = catalog.endpoint("openAI")
    own = endpoint_for(catalog, openai, catalog.agent("a"))
    assert (own.stream_rate, own.titles.model, own.titles.timing) == (0, "mine", "final")
    assert (openai.stream_rate, openai.titles.model) == (1, "all")
    assert endpoint_for(catalog, openai, None) is openai


def test_functions_is_another_name() -> None:
    """The legacy method means the structured one."""
    made = config(Case({"openAI": {"titleMethod": "functions"}}, "", "", "")).catalog.endpoint("openAI")
    assert made.titles.method == "structured"


def test_doubled_braces_are_braces() -> None:
    """Prompts that were written for a template language keep their meaning."""
    prompt = 'Answer {{"title": "…"}} for {convo}'
    made = config(Case({"openAI": {"titlePrompt": prompt}}, "", "", "")).catalog.endpoint("openAI")
    assert made.titles.prompt == 'Answer {"title": "…"} for {convo}'
