"""Requests as the parameters of Bedrock's ConverseStream; each must pass AWS's own description of them."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from tests.providers.speak_bedrock import complaint

from agentbench.protocol import CreateResponse
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, user_message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    ReasoningConfig,
    TextConfig,
    TextFormat,
    ToolChoice,
)
from agentbench.providers.bedrock_models import cached_parts, maker
from agentbench.providers.bedrock_request import encode_converse

HI = user_message("Hi")
CALLED = (
    HI,
    FunctionCall(id="fc_1", call_id="a", name="look", arguments="{}"),
    FunctionCallOutput(id="fco_1", call_id="a", output="1"),
)
LOOK = FunctionTool(name="look", description="Looks.", parameters={"type": "object", "required": ["at"]}, strict=True)
NOW = FunctionTool(name="now", description=" ")
WIRE_LOOK = {
    "toolSpec": {
        "name": "look",
        "description": "Looks.",
        "inputSchema": {"json": {"type": "object", "required": ["at"]}},
    }
}
WIRE_NOW = {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
UNKNOWN_LOOK = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
NO_TOOLS = {"text": "Answer without calling a tool."}
CACHE = {"cachePoint": {"type": "default"}}

LLAMA = "meta.llama4-v1:0"
CLAUDE_37 = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
CLAUDE_4 = "anthropic.claude-opus-4-20250514-v1:0"
CLAUDE_45 = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_46 = "global.anthropic.claude-opus-4-6-v1"
CLAUDE_48 = "anthropic.claude-opus-4-8"
CLAUDE_5 = "us.anthropic.claude-opus-5"
NOVA_2 = "global.amazon.nova-2-lite-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"
GPT_5 = "us.openai.gpt-5.6-sol"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1y2z3"


def encoded(model: str = LLAMA, **given: Any) -> dict[str, Any]:
    """Return the parameters for a request, which the service would take."""
    body = encode_converse(CreateResponse(**{"model": model, "input": (HI,), **given}))
    assert complaint(body) is None
    return body


def test_sampling() -> None:
    """Sampling goes under Converse's names, zeros included; what it has no name for is left out."""
    body = encoded(temperature=0.0, top_p=0.5, max_output_tokens=9, stop=("END",), seed=1, frequency_penalty=1.0)
    assert body["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["END"]}


@pytest.mark.parametrize(("tier", "sent"), [("flex", {"type": "flex"}), ("auto", None), (None, None)])
def test_service_tier(tier: str | None, sent: object) -> None:
    """A tier that Bedrock knows is passed on."""
    assert encoded(service_tier=tier).get("serviceTier") == sent


def allowed(*names: str, mode: Any = "auto") -> AllowedTools:
    """Return a choice among tools."""
    return AllowedTools(tools=tuple(FunctionToolChoice(name=name) for name in names), mode=mode)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"tools": [WIRE_LOOK, WIRE_NOW]}),
        ("required", {"tools": [WIRE_LOOK, WIRE_NOW], "toolChoice": {"any": {}}}),
        (FunctionToolChoice(name="now"), {"tools": [WIRE_LOOK, WIRE_NOW], "toolChoice": {"tool": {"name": "now"}}}),
        (allowed("now"), {"tools": [WIRE_NOW]}),
        (allowed("now", mode="required"), {"tools": [WIRE_NOW], "toolChoice": {"any": {}}}),
        (allowed("other"), None),
        ("none", None),
    ],
)
def test_tools(choice: ToolChoice, sent: object) -> None:
    """Tools and their choice; a model that may call none is offered none."""
    assert encoded(tools=(LOOK, NOW), tool_choice=choice).get("toolConfig") == sent


@pytest.mark.parametrize(("tools", "sent"), [((LOOK, NOW), WIRE_LOOK), ((), UNKNOWN_LOOK)])
def test_no_tools_after_calls(tools: tuple[FunctionTool, ...], sent: object) -> None:
    """Where the history holds calls, Converse wants their tools, so that none may be called stands in a sentence."""
    body = encoded(input=CALLED, tools=tools, tool_choice="none")
    assert (body["toolConfig"], body["system"]) == ({"tools": [sent]}, [NO_TOOLS])


def test_json_by_schema() -> None:
    """A schema goes as text."""
    form = JsonSchemaFormat(name="city", description="A city.", schema={"type": "object"}, strict=True)
    schema = {"name": "city", "description": "A city.", "schema": '{"type":"object"}'}
    assert encoded(text=TextConfig(format=form))["outputConfig"] == {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}
    }


@pytest.mark.parametrize("form", [JsonObjectFormat(), JsonSchemaFormat()])
def test_json_without_schema(form: TextFormat) -> None:
    """JSON of no given shape is asked for in words."""
    body = encoded(text=TextConfig(format=form), instructions="Be brief.")
    assert body["system"] == [{"text": "Be brief."}, {"text": "Answer with one JSON object and nothing else."}]
    assert "outputConfig" not in body


@pytest.mark.parametrize(
    ("model", "system", "tools"),
    [(CLAUDE_45, [CACHE], [CACHE]), ("us.amazon.nova-pro-v1:0", [CACHE], []), (LLAMA, [], []), (PROFILE, [], [])],
)
def test_cache_points(model: str, system: list[Any], tools: list[Any]) -> None:
    """What stays the same from turn to turn ends in a cache point, where the model may have one."""
    body = encoded(model, instructions="Be brief.", tools=(LOOK,))
    assert body["system"][1:] == system
    assert body["toolConfig"]["tools"][1:] == tools


def test_nothing_to_cache() -> None:
    """No cache point stands alone."""
    assert encoded(CLAUDE_45) == {"modelId": CLAUDE_45, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.mark.parametrize(
    ("model", "cached"),
    [
        ("anthropic.claude-3-5-haiku-20241022-v1:0", {"system", "tools"}),
        (CLAUDE_5, {"system", "tools"}),
        ("anthropic.claude-3-haiku-20240307-v1:0", set()),
        ("anthropic.claude-v2:1", set()),
        ("amazon.titan-text-express-v1", set()),
    ],
)
def test_cached_parts(model: str, cached: set[str]) -> None:
    """Older Claude models and other families have no cache."""
    assert cached_parts(model) == cached


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (CLAUDE_37, "anthropic"),
        (GPT_5, "openai"),
        ("bedrock/us-gov.anthropic.claude-x", "anthropic"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0", "amazon"),
        (PROFILE, ""),
        ("text", ""),
    ],
)
def test_maker(model: str, name: str) -> None:
    """A model's name says who made it, but for some profiles'."""
    assert maker(model) == name


def budget(tokens: int) -> dict[str, Any]:
    """Return what older Claude models want."""
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def adaptive(effort: str) -> dict[str, Any]:
    """Return what newer Claude models want."""
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}


def nova(effort: str) -> dict[str, Any]:
    """Return what Nova 2 wants."""
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (CLAUDE_37, "minimal", budget(1024)),
        (CLAUDE_4, "medium", budget(8192)),
        (CLAUDE_45, "xhigh", budget(24576)),
        (CLAUDE_45, "none", None),
        (CLAUDE_46, "minimal", adaptive("low")),
        (CLAUDE_46, "xhigh", adaptive("high")),
        (CLAUDE_48, "xhigh", adaptive("xhigh")),
        (CLAUDE_48, "none", None),
        (CLAUDE_5, "none", {"thinking": {"type": "disabled"}}),
        (NOVA_2, "minimal", nova("low")),
        (NOVA_2, "none", {"reasoningConfig": {"type": "disabled"}}),
        (GPT_OSS, "xhigh", {"reasoning_effort": "high"}),
        (GPT_5, "none", {"reasoning": {"effort": "none"}}),
        (GPT_5, "minimal", {"reasoning": {"effort": "low"}}),
        ("moonshot.kimi-k2-thinking", "low", {"reasoning_effort": "low"}),
        ("anthropic.claude-3-haiku-20240307-v1:0", "high", None),
        (LLAMA, "high", None),
        (PROFILE, "high", None),
        (CLAUDE_45, None, None),
    ],
)
def test_thinking(model: str, effort: Any, sent: object) -> None:
    """Each family is asked to think in its own way; others aren't asked."""
    body = encoded(model, reasoning=ReasoningConfig(effort=effort))
    assert body.get("additionalModelRequestFields") == sent


@pytest.mark.parametrize(("limit", "sent"), [(40000, budget(8192)), (4000, budget(2000)), (2000, None)])
def test_budget_leaves_room(limit: int, sent: object) -> None:
    """At most half of the limit is for thoughts, and none if that is less than the model takes."""
    body = encoded(CLAUDE_45, reasoning=ReasoningConfig(effort="medium"), max_output_tokens=limit)
    assert body.get("additionalModelRequestFields") == sent
    assert body["inferenceConfig"]["maxTokens"] == limit


@pytest.mark.parametrize(
    ("model", "effort", "kept"),
    [
        (CLAUDE_45, "low", {"maxTokens"}),
        (CLAUDE_45, "none", {"maxTokens", "temperature", "topP"}),
        (CLAUDE_48, "low", {"maxTokens"}),
        (NOVA_2, "medium", {"maxTokens", "temperature", "topP"}),
        (NOVA_2, "high", set()),
        (GPT_OSS, "high", {"maxTokens", "temperature", "topP"}),
    ],
)
def test_thinking_excludes_sampling(model: str, effort: Any, kept: set[str]) -> None:
    """What a model refuses while it thinks is left out."""
    sampling = {"temperature": 0.5, "top_p": 0.5, "max_output_tokens": 9000}
    body = encoded(model, reasoning=ReasoningConfig(effort=effort), **sampling)
    assert body.get("inferenceConfig", {}).keys() == kept


def test_every_effort() -> None:
    """Every effort that a caller may name is known to every family."""
    efforts = get_args(get_args(get_type_hints(ReasoningConfig)["effort"])[0])
    assert "xhigh" in efforts
    for model in (CLAUDE_37, CLAUDE_46, CLAUDE_5, NOVA_2, GPT_OSS, GPT_5):
        assert all(encoded(model, reasoning=ReasoningConfig(effort=effort)) for effort in efforts)


def test_forced_call_excludes_thinking() -> None:
    """Claude can't think before a call that is forced on it."""
    given: dict[str, Any] = {"reasoning": ReasoningConfig(effort="low"), "tools": (LOOK,), "tool_choice": "required"}
    assert "additionalModelRequestFields" not in encoded(CLAUDE_45, **given)
    assert "additionalModelRequestFields" in encoded(NOVA_2, **given)
