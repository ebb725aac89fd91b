"""Values and keys that a config may not hold: each case is a file and the whole message."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def custom(keys: str) -> str:
    """Write one custom endpoint, one key a line from line 3 on."""
    lines = dedent(keys).strip().splitlines()
    return "endpoints:\n  custom:\n    - " + "\n      ".join(lines) + "\n"


def agent(keys: str) -> str:
    """Write one agent, one key a line from line 2 on."""
    lines = dedent(keys).strip().splitlines()
    return "agents:\n  - " + "\n    ".join(lines) + "\n"


def scripted(steps: str) -> str:
    """Write one scripted model on line 3."""
    return f"endpoints:\n  scripted:\n    models: {{demo: {steps}}}\n"


# `{at}` in a message stands for "agentbench.yaml:".
KINDS = (
    "all, openAI, azureOpenAI, anthropic, google, bedrock, ollama, custom, local, scripted, agents, assistants,"
    " azureAssistants."
)
URL = "expected a URL such as https://host/v1"

KEYS = {
    "typo in a key": (
        custom("name: one\nbaseUrl: http://h/v1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseUrl: unknown key. Did you mean 'baseURL'?",
    ),
    "snake case": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\napi_key: sk-1"),
        "{at}6:7: endpoints.custom[0].api_key: unknown key. Did you mean 'apiKey'?",
    ),
    "nothing near": (
        "endpoints:\n  zzz: {}\n",
        "{at}2:3: endpoints.zzz: unknown key. Known: " + KINDS,
    ),
    "typo at the top": (
        "endpoint: {}\n",
        "{at}1:1: endpoint: unknown key. Did you mean 'endpoints'?",
    ),
    "typo with no value": (
        "agent:\n",
        "{at}1:1: agent: unknown key. Did you mean 'agents'?",
    ),
    "typo two levels down": (
        agent("id: a\nmodel_parameters:\n  temprature: 1"),
        "{at}4:7: agents[0].model_parameters.temprature: unknown key. Did you mean 'temperature'?",
    ),
    "LibreChat's max_tokens": (
        agent("id: a\nmodel_parameters: {max_tokens: 1}"),
        "{at}3:24: agents[0].model_parameters.max_tokens: unknown key. Did you mean 'max_output_tokens'?",
    ),
    "missing key": (
        custom("baseURL: http://h/v1\nmodels: {default: [m]}"),
        "{at}3:7: endpoints.custom[0].name: required, but missing",
    ),
    "key with no value": (
        custom("name: one\nbaseURL:\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: required, but missing",
    ),
    "agent with no id": (
        agent("name: Writer"),
        "{at}2:5: agents[0].id: required, but missing",
    ),
    "key that is a number": (
        "endpoints:\n  1: {}\n",
        "{at}1:1: endpoints: a key that isn't text; put it in quotes",
    ),
    "typo and wrong type of the right key": (
        custom("name: one\nbaseURL: 1\nbaseUrl: http://h/v1\nmodels: {default: [m]}"),
        (
            "{at}4:7: endpoints.custom[0].baseURL: expected text, found a number; put it in quotes\n"
            "{at}5:7: endpoints.custom[0].baseUrl: unknown key. Did you mean 'baseURL'?"
        ),
    ),
}

TYPES = {
    "list at the top": ("- a\n", "{at}1:1: expected a mapping, found a list"),
    "text at the top": ("hello\n", "{at}1:1: expected a mapping, found text"),
    "version as a number": (
        "version: 1.2\n",
        "{at}1:1: version: expected text, found a number; put it in quotes",
    ),
    "name as a boolean": (
        agent("id: true"),
        "{at}2:5: agents[0].id: expected text, found true or false; put it in quotes",
    ),
    "custom as a mapping": (
        "endpoints:\n  custom: {name: a}\n",
        "{at}2:3: endpoints.custom: expected a list, found a mapping",
    ),
    "models as text": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: m"),
        "{at}5:7: endpoints.custom[0].models: expected a mapping, found text",
    ),
    "default as text": (
        custom("name: one\nbaseURL: http://h/v1\nmodels:\n  default: m"),
        "{at}6:9: endpoints.custom[0].models.default: expected a list, found text",
    ),
    "fetch as text": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {fetch: 'yes'}"),
        "{at}5:16: endpoints.custom[0].models.fetch: expected true or false, found text",
    ),
    "an empty item": (
        agent("id: a\ntools: [search, ~]"),
        "{at}3:21: agents[0].tools[1]: expected text, found nothing",
    ),
    "temperature as text": (
        agent("id: a\nmodel_parameters: {temperature: warm}"),
        "{at}3:24: agents[0].model_parameters.temperature: expected a number, found text",
    ),
    "tokens as a fraction": (
        agent("id: a\nmodel_parameters: {max_output_tokens: 1.5}"),
        "{at}3:24: agents[0].model_parameters.max_output_tokens: expected a whole number, found a number",
    ),
    "tagged value": (
        agent("id: !secret a"),
        "{at}2:5: agents[0].id: expected text, found something else",
    ),
    "headers as text": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\nheaders: 'Bearer sk-1'"),
        "{at}6:7: endpoints.custom[0].headers: expected a mapping, found text",
    ),
}

LIMITS = {
    "temperature too high": (
        agent("id: a\nmodel_parameters: {temperature: 3}"),
        "{at}3:24: agents[0].model_parameters.temperature: expected a number of at most 2",
    ),
    "top_p negative": (
        agent("id: a\nmodel_parameters: {top_p: -0.1}"),
        "{at}3:24: agents[0].model_parameters.top_p: expected a number of at least 0",
    ),
    "no tokens": (
        agent("id: a\nmodel_parameters: {max_output_tokens: 0}"),
        "{at}3:24: agents[0].model_parameters.max_output_tokens: expected a number of at least 1",
    ),
    "penalty": (
        agent("id: a\nmodel_parameters: {presence_penalty: -2.5}"),
        "{at}3:24: agents[0].model_parameters.presence_penalty: expected a number of at least -2",
    ),
    "agent id with a space": (agent("id: my agent"), "{at}2:5: agents[0].id: expected a word without spaces"),
    "agent id empty": (agent("id: ''"), "{at}2:5: agents[0].id: expected a word without spaces"),
    "empty tool": (agent("id: a\ntools: ['']"), "{at}3:13: agents[0].tools[0]: expected text that isn't empty"),
    "no models": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {fetch: false}"),
        "{at}5:7: endpoints.custom[0].models: name at least one model in 'default', or set 'fetch: true'",
    ),
    "slash in an endpoint's name": (
        custom("name: a/b\nbaseURL: http://h/v1\nmodels: {default: [m]}"),
        "{at}3:7: endpoints.custom[0].name: expected a name with no '/', because models are written endpoint/model",
    ),
    "URL without scheme": (
        custom("name: one\nbaseURL: localhost:8000/v1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL of a file": (
        custom("name: one\nbaseURL: file:///v1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL with no host": (
        custom("name: one\nbaseURL: https:///v1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL with a bad port": (
        custom("name: one\nbaseURL: http://h:80a/v1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL with a space": (
        custom("name: one\nbaseURL: http://h/v 1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL over two lines": (
        custom('name: one\nbaseURL: "http://h\\n/v1"\nmodels: {default: [m]}'),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL with an unclosed bracket": (
        custom("name: one\nbaseURL: 'http://[::1/v1'\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL,
    ),
    "URL with a query": (
        custom("name: one\nbaseURL: http://h/v1?key=sk-1\nmodels: {default: [m]}"),
        "{at}4:7: endpoints.custom[0].baseURL: " + URL + ", with no '?' or '#'",
    ),
    "URL with a password": (
        custom("name: one\nbaseURL: http://me:sk-1@h/v1\nmodels: {default: [m]}"),
        (
            "{at}4:7: endpoints.custom[0].baseURL: expected a URL with no user name or password;"
            " put a credential in 'apiKey' or 'headers'"
        ),
    ),
    "context length": (
        "endpoints:\n  local:\n    models:\n      - {name: a, path: a.gguf, contextLength: 0}\n",
        "{at}4:33: endpoints.local.models[0].contextLength: expected a number of at least 1",
    ),
    "no scripts": (
        "endpoints:\n  scripted: {models: {}}\n",
        "{at}2:14: endpoints.scripted.models: expected at least one entry",
    ),
}

SECRETS = {
    "key as a number": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\napiKey: 8231"),
        "{at}6:7: endpoints.custom[0].apiKey: expected text, found a number; put it in quotes",
    ),
    "key with letters of another script": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\napiKey: sk-비밀"),
        "{at}6:7: endpoints.custom[0].apiKey: expected one line of ASCII text",
    ),
    "key of two lines": (
        custom('name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\napiKey: "sk-\\n1"'),
        "{at}6:7: endpoints.custom[0].apiKey: expected one line of ASCII text",
    ),
    "header value of two lines": (
        custom('name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\nheaders:\n  X-Key: "sk-\\r\\n1"\n  X-B: b'),
        "{at}7:9: endpoints.custom[0].headers.X-Key: expected one line of text",
    ),
    "header value as a number": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\nheaders: {X-Key: 8231}"),
        "{at}6:17: endpoints.custom[0].headers.X-Key: expected text, found a number; put it in quotes",
    ),
    "header name that isn't one": (
        custom("name: one\nbaseURL: http://h/v1\nmodels: {default: [m]}\nheaders: {'X-Key sk-1': a}"),
        "{at}6:7: endpoints.custom[0].headers: a header's name may hold only letters, digits and '-'",
    ),
}

SCRIPTS = {
    "typo in a step": (
        scripted("[{txt: a}]"),
        "{at}3:22: endpoints.scripted.models.demo[0].txt: unknown key. Did you mean 'text'?",
    ),
    "two keys in a step": (
        scripted("[{text: a, wait: 1}]"),
        (
            "{at}3:21: endpoints.scripted.models.demo[0]: a step has exactly one of the keys"
            " text, reasoning, refusal, call, wait, usage, finish, error"
        ),
    ),
    "a step that is text": (
        scripted("[hello]"),
        "{at}3:21: endpoints.scripted.models.demo[0]: expected a mapping, found text",
    ),
    "a script that is text": (
        scripted("hello"),
        "{at}3:14: endpoints.scripted.models.demo: expected a list, found text",
    ),
    "a call with no name": (
        scripted("[{call: {arguments: {a: 1}}}]"),
        "{at}3:22: endpoints.scripted.models.demo[0].call.name: required, but missing",
    ),
    "arguments as a list": (
        scripted("[{call: {name: f, arguments: [1]}}]"),
        "{at}3:38: endpoints.scripted.models.demo[0].call.arguments: expected a mapping or text",
    ),
    "a wait that ends nothing": (
        scripted("[{wait: .inf}]"),
        "{at}3:22: endpoints.scripted.models.demo[0].wait: expected a number of at most 3600",
    ),
    "a negative count": (
        scripted("[{usage: {input_tokens: -1}}]"),
        "{at}3:30: endpoints.scripted.models.demo[0].usage.input_tokens: expected a number of at least 0",
    ),
    "an unknown finish": (
        scripted("[{finish: tool_calls}]"),
        "{at}3:22: endpoints.scripted.models.demo[0].finish: expected 'stop', 'length' or 'content_filter'",
    ),
    "no turns": (
        scripted("{turns: []}"),
        "{at}3:21: endpoints.scripted.models.demo.turns: expected at least one entry",
    ),
    "a step in a second turn": (
        scripted("{turns: [[], [{text: 1}]]}"),
        "{at}3:35: endpoints.scripted.models.demo.turns[1][0].text: expected text, found a number; put it in quotes",
    ),
}

CASES = KEYS | TYPES | LIMITS | SECRETS | SCRIPTS


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_wrong_value_is_named_with_its_place(refused: Callable[..., str], text: str, expected: str) -> None:
    """The whole message is a line for each wrong key: file, line, column, key, what to do."""
    assert refused(text) == expected.replace("{at}", "agentbench.yaml:")


@pytest.mark.parametrize("text", [text for text, _ in SECRETS.values()], ids=SECRETS)
def test_a_secret_is_never_repeated(refused: Callable[..., str], text: str) -> None:
    """No part of an API key or header value stands in the message."""
    message = refused(text)
    assert [part for part in ("sk-", "8231", "비밀") if part in message] == []


def test_at_most_ten_problems_are_listed_in_the_order_of_the_file(refused: Callable[..., str]) -> None:
    """The eleventh and later ones are counted."""
    message = refused("".join(f"key{number}: 1\n" for number in range(13)))
    lines = message.splitlines()
    assert [line.split(":")[1] for line in lines[:10]] == [str(number) for number in range(1, 11)]
    assert lines[10:] == ["… and 3 more."]
