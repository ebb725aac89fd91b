"""The streaming events of the Assistants API: a name and the object or the delta that it is about."""

from __future__ import annotations

from typing import Any, Literal

from agentbench.protocol.values import Value

__all__ = ["DONE", "AssistantEvent", "MessageDelta", "StepDelta"]

DONE = "[DONE]"
"""The data of a stream's last frame, whose event is `done`."""


class AssistantEvent(Value, frozen=True, kw_only=True):
    """One event; `data` is a `Thread`, `Run`, `RunStep`, `ThreadMessage`, a delta, or an error's object.

    `name` is `thread.created`, `thread.run.created`, … `thread.message.delta`, `thread.run.step.delta`, or `error`.
    """

    name: str
    data: Any


class MessageDelta(Value, frozen=True, kw_only=True):
    """News of a message: `delta` is `{"content": [part with its index]}`, and once `{"role": …}`."""

    id: str
    object: Literal["thread.message.delta"] = "thread.message.delta"
    delta: dict[str, Any]


class StepDelta(Value, frozen=True, kw_only=True):
    """News of a step: `delta` is `{"step_details": {"type": "tool_calls", "tool_calls": [call with its index]}}`."""

    id: str
    object: Literal["thread.run.step.delta"] = "thread.run.step.delta"
    delta: dict[str, Any]
