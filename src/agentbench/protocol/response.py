"""What a caller gets: the response object with all the keys that the spec requires, usage, and errors.

Open Responses `ResponseResource`, release 2026-04-24.
"""

from __future__ import annotations

import time
from typing import Literal, TypeVar

from agentbench.protocol.items import FunctionCall, Item, Message, Reasoning
from agentbench.protocol.request import CreateResponse, FunctionTool, ReasoningConfig, TextConfig, ToolChoice
from agentbench.protocol.values import Value, new_id

__all__ = [
    "IncompleteDetails",
    "InputTokensDetails",
    "OutputTokensDetails",
    "Response",
    "ResponseError",
    "ResponseStatus",
    "Usage",
    "draft",
]

T = TypeVar("T")

ResponseStatus = Literal["queued", "in_progress", "completed", "failed", "incomplete", "cancelled"]


class InputTokensDetails(Value, frozen=True, kw_only=True):
    """Of the input tokens: how many came from the prompt cache, how many were written to it."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Value, frozen=True, kw_only=True):
    """Of the output tokens: how many were reasoning."""

    reasoning_tokens: int = 0


class Usage(Value, frozen=True, kw_only=True):
    """Tokens of one response. Input holds the cached ones, output the reasoning ones: nothing counts twice.

    The total is the upstream's own, also where it isn't the sum.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()

    @classmethod
    def of(
        cls,
        input_tokens: int,
        output_tokens: int,
        *,
        cached: int = 0,
        cache_write: int = 0,
        reasoning: int = 0,
        total: int | None = None,
    ) -> Usage:
        """Return a usage, its total worked out if none was told."""
        return cls(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            total_tokens=total or input_tokens + output_tokens,
            input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=cache_write),
            output_tokens_details=OutputTokensDetails(reasoning_tokens=reasoning),
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage.of(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            cached=self.input_tokens_details.cached_tokens + other.input_tokens_details.cached_tokens,
            cache_write=self.input_tokens_details.cache_write_tokens + other.input_tokens_details.cache_write_tokens,
            reasoning=self.output_tokens_details.reasoning_tokens + other.output_tokens_details.reasoning_tokens,
            total=self.total_tokens + other.total_tokens,
        )


class IncompleteDetails(Value, frozen=True, kw_only=True):
    """Why a response stopped early: `max_output_tokens`, `content_filter`, and so on."""

    reason: str


class ResponseError(Value, frozen=True, kw_only=True):
    """Why a response failed."""

    code: str
    message: str


class Response(Value, frozen=True, kw_only=True):
    """One answer: what was asked for, what came out, how it ended."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseStatus = "in_progress"
    incomplete_details: IncompleteDetails | None = None
    model: str
    previous_response_id: str | None = None
    instructions: str | None = None
    output: tuple[Item, ...] = ()
    error: ResponseError | None = None
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    truncation: Literal["auto", "disabled"] = "disabled"
    parallel_tool_calls: bool = True
    text: TextConfig = TextConfig()
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    top_logprobs: int = 0
    temperature: float = 1.0
    reasoning: ReasoningConfig | None = None
    usage: Usage | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    store: bool = True
    background: bool = False
    service_tier: str = "default"
    metadata: dict[str, str] = {}
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    @property
    def output_text(self) -> str:
        """The text of all output messages, joined."""
        return "".join(item.text for item in self.output if isinstance(item, Message))

    @property
    def reasoning_text(self) -> str:
        """The reasoning of all its items, raw where there is any, else summed up."""
        return "".join(item.text for item in self.output if isinstance(item, Reasoning))

    @property
    def function_calls(self) -> tuple[FunctionCall, ...]:
        """The function calls among the output items, in order."""
        return tuple(item for item in self.output if isinstance(item, FunctionCall))


def draft(request: CreateResponse, *, model: str, response_id: str | None = None) -> Response:
    """Return the response as it stands before anything came out: the request, echoed, with defaults filled in."""
    return Response(
        id=response_id or new_id("resp"),
        created_at=int(time.time()),
        status="queued" if request.background else "in_progress",
        model=model,
        previous_response_id=request.previous_response_id,
        instructions=request.instructions,
        tools=request.tools,
        tool_choice=request.tool_choice,
        truncation=request.truncation,
        parallel_tool_calls=_or(request.parallel_tool_calls, default=True),
        text=request.text,
        top_p=_or(request.top_p, default=1.0),
        presence_penalty=_or(request.presence_penalty, default=0.0),
        frequency_penalty=_or(request.frequency_penalty, default=0.0),
        top_logprobs=_or(request.top_logprobs, default=0),
        temperature=_or(request.temperature, default=1.0),
        reasoning=request.reasoning,
        max_output_tokens=request.max_output_tokens,
        max_tool_calls=request.max_tool_calls,
        store=request.store,
        background=request.background,
        service_tier="default" if request.service_tier in (None, "auto") else request.service_tier,
        metadata=request.metadata,
        safety_identifier=request.safety_identifier,
        prompt_cache_key=request.prompt_cache_key,
    )


def _or(value: T | None, *, default: T) -> T:
    return default if value is None else value
