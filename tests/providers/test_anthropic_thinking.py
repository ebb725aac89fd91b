"""What each generation of Claude is asked about thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.speak_anthropic_rules import refusal

from agentbench.protocol import CreateResponse
from agentbench.protocol.content import SummaryText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Reasoning, user_message
from agentbench.protocol.request import AllowedTools, FunctionTool, FunctionToolChoice, ReasoningConfig
from agentbench.providers.anthropic import encode_messages
from agentbench.providers.anthropic_messages import SIGNED
from agentbench.providers.anthropic_thinking import generation

if TYPE_CHECKING:
    from agentbench.protocol.request import ToolChoice

NOW = FunctionTool(name="now")
THE_ONE = FunctionToolChoice(name="now")
FREELY = {"type": "adaptive", "display": "summarized"}
OFF = {"type": "disabled"}
HELLO = user_message("Hi")


def asked(model: str, effort: Any = None, **given: Any) -> tuple[Any, Any]:
    """Return the thinking and the effort that a request asks for."""
    reasoning = {"reasoning": ReasoningConfig(effort=effort)} if effort else {}
    body = encode_messages(CreateResponse(**{"model": model, "input": (HELLO,)} | reasoning | given))
    return body.get("thinking"), body.get("output_config", {}).get("effort")


def within(budget: int) -> dict[str, Any]:
    """Return thinking within a budget."""
    return {"type": "enabled", "budget_tokens": budget}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-3-5-haiku-20241022", (3, 5)),
        ("claude-3-opus-20240229", (3, 0)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-opus-4-1-20250805", (4, 1)),
        ("claude-haiku-4-5", (4, 5)),
        ("anthropic/claude-opus-4.6", (4, 6)),
        ("anthropic.claude-sonnet-4-6-v1:0", (4, 6)),
        ("claude-sonnet-5", (5, 0)),
        ("claude-fable-5-2", (5, 2)),
        ("claude-mythos-preview", (99, 0)),
        ("llama-3.2", None),
        ("small", None),
    ],
)
def test_generation(model: str, expected: tuple[int, int] | None) -> None:
    """A model's name tells its generation; a date doesn't."""
    assert generation(model) == expected


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-4-7", "claude-opus-5-5", "small"])
def test_nothing_asked(model: str) -> None:
    """Who says nothing of reasoning leaves it to the model."""
    assert asked(model) == (None, None)
    assert asked(model, reasoning=ReasoningConfig()) == (None, None)


@pytest.mark.parametrize(
    ("effort", "budget"), [("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16384), ("xhigh", 24000)]
)
def test_budgets(effort: str, budget: int) -> None:
    """A model up to 4.5 thinks within a budget."""
    assert asked("claude-haiku-4-5", effort) == (within(budget), None)


@pytest.mark.parametrize(("limit", "thinking"), [(8000, within(6000)), (1366, within(1024)), (1365, None), (16, None)])
def test_budget_within_the_limit(limit: int, thinking: object) -> None:
    """A quarter of the tokens is left for the answer; too small a budget is none."""
    assert asked("claude-haiku-4-5", "high", max_output_tokens=limit)[0] == thinking


def test_other_models() -> None:
    """Models of others take budgets as well."""
    assert asked("small", "high") == (within(6144), None)


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("claude-opus-4-6", "minimal", (FREELY, "low")),
        ("claude-opus-4-6", "medium", (FREELY, "medium")),
        ("claude-opus-4-6", "xhigh", (FREELY, "high")),
        ("claude-opus-4-7", "xhigh", (FREELY, "xhigh")),
        ("claude-sonnet-5", "high", (FREELY, "high")),
        ("claude-mythos-preview", "low", (FREELY, "low")),
        ("claude-haiku-4-5", "none", (None, None)),
        ("small", "none", (None, None)),
        ("claude-opus-4-6", "none", (OFF, None)),
        ("claude-opus-5", "none", (OFF, None)),
        ("claude-opus-5-5", "none", (FREELY, "low")),
        ("claude-fable-5", "none", (FREELY, "low")),
    ],
)
def test_efforts(model: str, effort: str, expected: object) -> None:
    """A model from 4.6 on thinks as it sees fit; where it can't be told not to, it is told to think little."""
    assert asked(model, effort) == expected


def test_summary_only() -> None:
    """Who asks for a summary asks for thinking; how hard is up to the model, or medium."""
    wish = {"reasoning": ReasoningConfig(summary="auto")}
    assert asked("claude-opus-5", **wish) == (FREELY, None)
    assert asked("claude-haiku-4-5", **wish) == (within(8192), None)


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        FunctionToolChoice(name="now"),
        AllowedTools(tools=(FunctionToolChoice(name="now"),), mode="required"),
    ],
)
@pytest.mark.parametrize(("model", "thinking"), [("claude-haiku-4-5", None), ("claude-opus-5", OFF)])
def test_demanded_calls(choice: ToolChoice, model: str, thinking: object) -> None:
    """A call that is demanded goes before thinking: the API takes one of the two."""
    assert asked(model, "high", tools=(NOW,), tool_choice=choice) == (thinking, None)


def test_no_sampling_with_thinking() -> None:
    """Thinking leaves no place for a temperature, and the body is one that the API takes."""
    request = CreateResponse(
        model="claude-haiku-4-5", input=(HELLO,), temperature=0.5, top_p=0.9, reasoning=ReasoningConfig(effort="low")
    )
    body = encode_messages(request)
    assert not {"temperature", "top_p"} & body.keys()
    assert refusal(body, "2023-06-01") is None


@pytest.mark.parametrize(("seal", "thinking"), [(SIGNED + "s", within(2048)), ("gAAAAA", None)])
def test_amid_calls(seal: str, thinking: object) -> None:
    """Amid calls, thinking within a budget goes on only where the first of them came with it."""
    thought = Reasoning(id="rs_1", summary=(SummaryText(text="Hm."),), encrypted_content=seal)
    call = FunctionCall(id="fc_1", call_id="c1", name="now", arguments="{}")
    result = FunctionCallOutput(id="fco_1", call_id="c1", output="noon")
    items = (HELLO, thought, call, result, call, result)
    assert asked("claude-haiku-4-5", "low", input=items, tools=(NOW,))[0] == thinking
    assert asked("claude-opus-5", "low", input=items, tools=(NOW,))[0] == FREELY
