"""Assistants, threads, messages, runs and steps: times are seconds since 1970, and what is not there is null."""

from __future__ import annotations

from typing import Any, Literal

from agentbench.protocol.assistants.content import MessageContent
from agentbench.protocol.assistants.tools import AssistantTool, ResponseFormat, ToolChoice, ToolResources
from agentbench.protocol.values import Value

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "Assistant",
    "Attachment",
    "FunctionCallOf",
    "LastError",
    "Listing",
    "Reason",
    "RequiredAction",
    "RequiredCall",
    "Run",
    "RunStatus",
    "RunStep",
    "RunUsage",
    "StepDetails",
    "SubmitToolOutputs",
    "Thread",
    "ThreadMessage",
    "Truncation",
]

Metadata = dict[str, str]
RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]
TERMINAL: frozenset[str] = frozenset({"cancelled", "failed", "completed", "incomplete", "expired"})
ACTIVE: frozenset[str] = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
"""While a run is one of these, nothing else may happen on its thread."""


class Assistant(Value, frozen=True, kw_only=True):
    """Instructions, a model and tools under one id."""

    id: str
    object: Literal["assistant"] = "assistant"
    created_at: int
    name: str | None = None
    description: str | None = None
    model: str
    instructions: str | None = None
    tools: tuple[AssistantTool, ...] = ()
    tool_resources: ToolResources | None = None
    metadata: Metadata = {}
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    response_format: ResponseFormat | None = "auto"
    reasoning_effort: str | None = None


class Thread(Value, frozen=True, kw_only=True):
    """A conversation, which any assistant may answer in."""

    id: str
    object: Literal["thread"] = "thread"
    created_at: int
    tool_resources: ToolResources | None = None
    metadata: Metadata = {}


class Reason(Value, frozen=True, kw_only=True):
    """Why a message or a run is incomplete."""

    reason: str | None = None


class Attachment(Value, frozen=True, kw_only=True):
    """A file of a message, and the types of tools that may read it."""

    file_id: str | None = None
    tools: tuple[AssistantTool, ...] | None = None


class ThreadMessage(Value, frozen=True, kw_only=True):
    """What one side said in a thread."""

    id: str
    object: Literal["thread.message"] = "thread.message"
    created_at: int
    thread_id: str
    status: Literal["in_progress", "incomplete", "completed"] = "completed"
    incomplete_details: Reason | None = None
    completed_at: int | None = None
    incomplete_at: int | None = None
    role: Literal["user", "assistant"]
    content: tuple[MessageContent, ...] = ()
    assistant_id: str | None = None
    run_id: str | None = None
    attachments: tuple[Attachment, ...] | None = ()
    metadata: Metadata = {}


class FunctionCallOf(Value, frozen=True, kw_only=True):
    """The name and the JSON arguments of a call."""

    name: str
    arguments: str


class RequiredCall(Value, frozen=True, kw_only=True):
    """A call whose output the client is to submit under its `id`."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCallOf


class SubmitToolOutputs(Value, frozen=True, kw_only=True):
    """The calls that wait."""

    tool_calls: tuple[RequiredCall, ...]


class RequiredAction(Value, frozen=True, kw_only=True):
    """What the client has to do before a run can go on."""

    type: Literal["submit_tool_outputs"] = "submit_tool_outputs"
    submit_tool_outputs: SubmitToolOutputs


class LastError(Value, frozen=True, kw_only=True):
    """Why a run or a step failed: `server_error`, `rate_limit_exceeded` or `invalid_prompt`."""

    code: str
    message: str


class RunUsage(Value, frozen=True, kw_only=True):
    """Tokens of a run or a step; there once it has ended."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Truncation(Value, frozen=True, kw_only=True):
    """How much of the thread the model gets."""

    type: Literal["auto", "last_messages"] = "auto"
    last_messages: int | None = None


class Run(Value, frozen=True, kw_only=True):
    """One answer of an assistant's in a thread."""

    id: str
    object: Literal["thread.run"] = "thread.run"
    created_at: int
    thread_id: str
    assistant_id: str | None
    status: RunStatus = "queued"
    required_action: RequiredAction | None = None
    last_error: LastError | None = None
    expires_at: int | None = None
    started_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    incomplete_details: Reason | None = None
    model: str = ""
    instructions: str = ""
    tools: tuple[AssistantTool, ...] = ()
    metadata: Metadata = {}
    usage: RunUsage | None = None
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    truncation_strategy: Truncation | None = Truncation()
    tool_choice: ToolChoice | None = "auto"
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = "auto"
    reasoning_effort: str | None = None


StepDetails = dict[str, Any]
"""`{"type": "message_creation", "message_creation": {"message_id"}}` or `{"type": "tool_calls", "tool_calls": […]}`."""


class RunStep(Value, frozen=True, kw_only=True):
    """A message or calls of tools, as a run made them."""

    id: str
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: int
    run_id: str
    assistant_id: str | None
    thread_id: str
    type: Literal["message_creation", "tool_calls"]
    status: Literal["in_progress", "cancelled", "failed", "completed", "expired"] = "in_progress"
    cancelled_at: int | None = None
    completed_at: int | None = None
    expired_at: int | None = None
    failed_at: int | None = None
    last_error: LastError | None = None
    step_details: StepDetails
    usage: RunUsage | None = None
    metadata: Metadata = {}


class Listing(Value, frozen=True, kw_only=True):
    """A page of a list; `last_id` is what `after` takes for the next."""

    object: Literal["list"] = "list"
    data: tuple[Any, ...] = ()
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False
