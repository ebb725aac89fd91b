"""Requests as the address and body of `streamGenerateContent`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.providers.replay import RECORDINGS, replay
from tests.providers.speak_google import Body
from tests.providers.upstream import Upstream, reply

from agentbench.config import Endpoint, Secret
from agentbench.protocol import CreateResponse, collect
from agentbench.protocol.content import InputText
from agentbench.protocol.items import FunctionCall, Message, user_message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    PlainTextFormat,
    ReasoningConfig,
    TextConfig,
    TextFormat,
    ToolChoice,
)
from agentbench.providers.google import Google
from agentbench.providers.http import Http

PROVIDER = Google(Http())
ENDPOINT = Endpoint(name="google", provider="google", base_url="http://127.0.0.1:9/v1beta")
SCHEMA = {"type": "object", "properties": {"at": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
LOOK = FunctionTool(name="look", description="Looks.", parameters=SCHEMA, strict=True)
NOW = FunctionTool(name="now")
WIRE_LOOK = {"name": "look", "description": "Looks.", "parametersJsonSchema": SCHEMA}
WIRE_NOW = {"name": "now"}


def encoded(model: str = "gemini-2.5-flash", **given: Any) -> dict[str, Any]:
    """Return the body for a request, once the API's own types have taken it."""
    request = CreateResponse(model=model, **{"input": (user_message("Hi"),), **given})
    raw = msgspec.json.encode(PROVIDER.encode(request, ENDPOINT).body)
    Body.model_validate_json(raw)
    return msgspec.json.decode(raw, type=dict[str, Any])


def test_smallest_body() -> None:
    """What wasn't asked for isn't in the body."""
    assert encoded() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_system_instruction() -> None:
    """The instructions and what the system and the developer say go together, in order."""
    told = [
        Message(id=role, role=role, content=(InputText(text=f"I am the {role}."),)) for role in ("developer", "system")
    ]
    body = encoded(instructions="Be brief.", input=(told[0], user_message("Hi"), told[1]))
    texts = ["Be brief.", "I am the developer.", "I am the system."]
    assert body == encoded() | {"systemInstruction": {"parts": [{"text": text} for text in texts]}}


def test_sampling() -> None:
    """Sampling goes under the API's names, zeros included."""
    body = encoded(
        temperature=0.0,
        top_p=0.5,
        presence_penalty=0.0,
        frequency_penalty=-1.0,
        max_output_tokens=9,
        stop=("END",),
        seed=0,
        user="someone",
        top_logprobs=2,
    )
    assert body["generationConfig"] == {
        "temperature": 0.0,
        "topP": 0.5,
        "maxOutputTokens": 9,
        "stopSequences": ["END"],
        "seed": 0,
        "presencePenalty": 0.0,
        "frequencyPenalty": -1.0,
        "responseLogprobs": True,
        "logprobs": 2,
    }


@pytest.mark.parametrize(
    ("model", "reasoning", "wire"),
    [
        ("gemini-2.5-flash", ReasoningConfig(effort="none"), {"includeThoughts": False, "thinkingBudget": 0}),
        ("gemini-2.5-flash", ReasoningConfig(effort="low"), {"includeThoughts": True, "thinkingBudget": 1024}),
        ("models/gemini-2.5-pro", ReasoningConfig(effort="high"), {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-2.5-flash", ReasoningConfig(summary="auto"), {"includeThoughts": True}),
        ("gemini-3-pro-preview", ReasoningConfig(effort="high"), {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3-flash", ReasoningConfig(effort="none"), {"includeThoughts": False, "thinkingLevel": "MINIMAL"}),
        ("gemini-flash-latest", ReasoningConfig(effort="low"), {"includeThoughts": True, "thinkingLevel": "LOW"}),
    ],
)
def test_thinking(model: str, reasoning: ReasoningConfig, wire: object) -> None:
    """The second generation takes a budget of thought, later ones take a level."""
    assert encoded(model, reasoning=reasoning)["generationConfig"] == {"thinkingConfig": wire}


@pytest.mark.parametrize(
    ("choice", "tools", "config"),
    [
        ("auto", [WIRE_LOOK, WIRE_NOW], None),
        ("required", [WIRE_LOOK, WIRE_NOW], {"mode": "ANY"}),
        ("none", [WIRE_LOOK, WIRE_NOW], {"mode": "NONE"}),
        (FunctionToolChoice(name="now"), [WIRE_LOOK, WIRE_NOW], {"mode": "ANY", "allowedFunctionNames": ["now"]}),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),)), [WIRE_NOW], None),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),), mode="required"), [WIRE_NOW], {"mode": "ANY"}),
    ],
)
def test_tools(choice: ToolChoice, tools: list[Any], config: object) -> None:
    """Tools and the choice among them; a hard limit leaves out the tools that aren't allowed."""
    body = encoded(tools=(LOOK, NOW), tool_choice=choice)
    assert body["tools"] == [{"functionDeclarations": tools}]
    assert body.get("toolConfig") == (None if config is None else {"functionCallingConfig": config})


@pytest.mark.parametrize(
    ("model", "signed"),
    [("gemini-2.5-pro", False), ("gemma-3-27b-it", False), ("gemini-3-pro-preview", True), ("models/gemini-4", True)],
)
def test_calls_of_others(model: str, *, signed: bool) -> None:
    """A call that another model made goes with a stand-in for a signature where one is a must."""
    call = FunctionCall(id="fc_1", call_id="call_1", name="look", arguments="{}")
    part = encoded(model, input=(user_message("Hi"), call))["contents"][1]["parts"][0]
    assert ("thoughtSignature" in part) is signed


def test_no_tool_is_allowed() -> None:
    """Where no tool is left, none are spoken of."""
    choice = AllowedTools(tools=(FunctionToolChoice(name="other"),), mode="required")
    assert encoded(tools=(LOOK,), tool_choice=choice) == encoded()


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (PlainTextFormat(), None),
        (JsonObjectFormat(), {"responseMimeType": "application/json"}),
        (JsonSchemaFormat(schema=SCHEMA), {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        (JsonSchemaFormat(), {"responseMimeType": "application/json"}),
    ],
)
def test_form(form: TextFormat, wire: object) -> None:
    """The form of the text goes as a media type and a JSON schema, plain text without a word."""
    assert encoded(text=TextConfig(format=form)).get("generationConfig") == wire


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("a/../b?c#d é", "models/a%2F..%2Fb%3Fc%23d%20%C3%A9"),
    ],
)
def test_address(model: str, address: str) -> None:
    """A model's name is part of the address, and can't leave its place in it."""
    assert PROVIDER.encode(CreateResponse(model=model), ENDPOINT).model == address


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ({"models": [{"name": "models/b"}, {"name": "models/a"}]}, ("a", "b")),
        ({"models": [{"name": "models/a"}], "nextPageToken": "again"}, ("a",)),
        ({"models": [{"name": "models/a", "supportedGenerationMethods": []}, {}, "b"]}, ()),
        ([], ()),
        ({}, ()),
    ],
)
async def test_models(http: Http, upstream: Upstream, page: object, names: tuple[str, ...]) -> None:
    """Listing takes what comes, and ends though the pages don't."""
    upstream.answers = [reply(body=msgspec.json.encode(page))]
    endpoint = msgspec.structs.replace(ENDPOINT, base_url=upstream.url)
    assert await Google(http).models(endpoint) == names


@pytest.mark.anyio
async def test_sent(http: Http, upstream: Upstream) -> None:
    """The key goes in a header and not in the address; an array that wasn't streamed is an answer too."""
    upstream.answers = [reply(body=(RECORDINGS / "google" / "array.json").read_bytes())]
    endpoint = msgspec.structs.replace(ENDPOINT, base_url=upstream.url, api_key=Secret("AIza-k3y-of-google"))
    provider = Google(http)
    async with provider.open(provider.encode(CreateResponse(model="small"), endpoint), endpoint) as pieces:
        answer = collect(replay("google", [piece async for piece in pieces]))
    head = upstream.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /v1/models/small:streamGenerateContent?alt=sse HTTP/1.1"
    assert [line for line in head if "k3y" in line] == ["x-goog-api-key: AIza-k3y-of-google"]
    assert answer.output_text == "An array in pieces."
