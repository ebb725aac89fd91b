"""Requests as the body of Responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.config import Endpoint
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import LogProb, OutputText, ReasoningText, SummaryText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, ItemReference, Message, Reasoning, user_message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonSchemaFormat,
    ReasoningConfig,
    TextConfig,
)
from agentbench.providers.http import Http
from agentbench.providers.openai_responses import OpenAIResponses

if TYPE_CHECKING:
    from agentbench.protocol import InputItem

PROVIDER = OpenAIResponses(Http())
SEALED = Reasoning(
    id="rs_1",
    summary=(SummaryText(text="Hm."),),
    content=(ReasoningText(text="Hm, hm."),),
    encrypted_content="sealed",
    status="completed",
)
FOREIGN = Reasoning(id="rs_3", encrypted_content="google:call:U0lH")
UNSEALED = Reasoning(id="rs_2", content=(ReasoningText(text="Hm."),))


def encoded(*items: InputItem, **given: Any) -> dict[str, Any]:
    """Return the body for a request, as the upstream reads it."""
    endpoint = Endpoint(name="acme", provider="openai_responses", base_url="http://127.0.0.1:9/v1")
    body = PROVIDER.encode(CreateResponse(model="small", input=items, **given), endpoint)
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])


def test_smallest_body() -> None:
    """Nothing is stored upstream, and what wasn't asked for isn't in the body."""
    assert encoded(user_message("Hi"), store=True) == {
        "model": "small",
        "stream": True,
        "store": False,
        "truncation": "disabled",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
    }


def test_ids_are_dropped() -> None:
    """Ids and states are ours and unknown upstream; what ties a call to its output stays."""
    text = OutputText(text="Hi", logprobs=(LogProb(token="Hi", logprob=-1.0),))
    items = (
        Message(id="msg_1", role="assistant", content=(text,), phase="final_answer"),
        FunctionCall(id="fc_1", call_id="a", name="now", arguments="{}"),
        FunctionCallOutput(id="fco_1", call_id="a", output="Noon"),
    )
    assert encoded(*items)["input"] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
            "phase": "final_answer",
        },
        {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "Noon"},
    ]


def test_reasoning() -> None:
    """Sealed reasoning goes back under its provider's id, without raw text; unsealed reasoning stays here."""
    assert encoded(SEALED, UNSEALED)["input"] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "sealed",
        }
    ]


def test_references_are_dropped() -> None:
    """A reference means an item of ours, which the upstream can't know."""
    assert encoded(ItemReference(id="msg_1"))["input"] == []


@pytest.mark.parametrize(
    ("items", "given", "include"),
    [
        ((), {}, None),
        ((SEALED,), {}, ["reasoning.encrypted_content"]),
        ((), {"reasoning": ReasoningConfig(effort="low")}, ["reasoning.encrypted_content"]),
        ((UNSEALED, FOREIGN), {}, None),
        ((), {"include": ("message.output_text.logprobs",)}, ["message.output_text.logprobs"]),
    ],
)
def test_include(items: tuple[InputItem, ...], given: dict[str, Any], include: list[str] | None) -> None:
    """Sealed reasoning is asked for only where there is reasoning: models that don't reason reject the wish."""
    assert encoded(*items, **given).get("include") == include


def test_settings() -> None:
    """Settings keep their names, zeros included."""
    settings = {
        "instructions": "Be brief.",
        "parallel_tool_calls": False,
        "max_tool_calls": 2,
        "temperature": 0.0,
        "top_p": 0.5,
        "max_output_tokens": 9,
        "top_logprobs": 0,
        "service_tier": "flex",
        "safety_identifier": "someone",
        "prompt_cache_key": "shelf",
    }
    body = encoded(**settings, previous_response_id="resp_1", metadata={"a": "b"}, background=True)
    assert {key: body[key] for key in list(body)[5:]} == settings


def test_tools() -> None:
    """Tools and a choice among them go as they are."""
    body = encoded(
        tools=(FunctionTool(name="now", strict=False),),
        tool_choice=AllowedTools(tools=(FunctionToolChoice(name="now"),), mode="required"),
    )
    assert body["tools"] == [
        {"type": "function", "name": "now", "description": None, "parameters": None, "strict": False}
    ]
    assert body["tool_choice"] == {
        "type": "allowed_tools",
        "tools": [{"type": "function", "name": "now"}],
        "mode": "required",
    }


def test_text_format() -> None:
    """A form of text goes without nulls, and verbosity with it."""
    form = JsonSchemaFormat(name="city", schema={"type": "object"})
    assert encoded(text=TextConfig(format=form, verbosity="low"))["text"] == {
        "format": {"type": "json_schema", "name": "city", "schema": {"type": "object"}, "strict": False},
        "verbosity": "low",
    }
