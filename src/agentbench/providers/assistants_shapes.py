"""What upstreams of the Assistants API send, read with patience: whatever they leave out, or put in besides."""

from __future__ import annotations

from typing import Any

import msgspec

from agentbench.protocol import Usage
from agentbench.providers.counts import told_counts

__all__ = ["Page", "UpstreamAssistant", "UpstreamMessage", "UpstreamRun", "told_usage"]

_ENDED = ("completed", "failed", "cancelled", "expired", "incomplete")


class UpstreamAssistant(msgspec.Struct, frozen=True, kw_only=True):
    """An assistant that lives upstream; its tools are as they came."""

    id: str
    name: str | None = None
    description: str | None = None
    model: str = ""
    instructions: str | None = None
    tools: tuple[dict[str, Any], ...] | None = ()
    metadata: dict[str, Any] | None = None

    @property
    def author(self) -> str | None:
        """Who made it, where that was noted."""
        told = (self.metadata or {}).get("author")
        return told if isinstance(told, str) else None

    @property
    def tool_types(self) -> tuple[str, ...]:
        """What kinds of tools it has, under today's names."""
        named = (str(each.get("type")) for each in self.tools or ())
        return tuple("file_search" if each == "retrieval" else each for each in named)


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str | None = None


class _Call(msgspec.Struct, frozen=True):
    id: str
    function: _Function = _Function()


class _Calls(msgspec.Struct, frozen=True):
    tool_calls: tuple[_Call, ...] = ()


class _Required(msgspec.Struct, frozen=True):
    type: str = ""
    submit_tool_outputs: _Calls | None = None


class _Trouble(msgspec.Struct, frozen=True):
    code: Any = None
    message: Any = None


class _Reason(msgspec.Struct, frozen=True):
    reason: str | None = None


class UpstreamRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands."""

    id: str
    status: str = ""
    thread_id: str | None = None
    required_action: _Required | None = None
    last_error: _Trouble | None = None
    incomplete_details: _Reason | None = None
    usage: Any = None
    tools: tuple[dict[str, Any], ...] | None = ()

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.status in _ENDED

    @property
    def calls(self) -> tuple[_Call, ...]:
        """The calls whose outputs it waits for."""
        action = self.required_action
        is_waiting = self.status == "requires_action" and action is not None
        return action.submit_tool_outputs.tool_calls if is_waiting and action and action.submit_tool_outputs else ()

    @property
    def is_settled(self) -> bool:
        """Whether the upstream does nothing more until it is asked to."""
        return self.has_ended or self.status == "requires_action"


class UpstreamMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a message, and in which run."""

    id: str
    role: str = ""
    run_id: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list."""

    data: tuple[dict[str, Any], ...] = ()
    has_more: bool | None = False
    last_id: str | None = None


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int = 0


class _Counts(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_token_details: _Cached = _Cached()


def told_usage(run: UpstreamRun) -> Usage | None:
    """Return the tokens of a whole run; None if it tells none."""
    told = told_counts(run.usage, _Counts)
    if told is None:
        return None
    return Usage.of(
        told.prompt_tokens,
        told.completion_tokens,
        cached=told.prompt_token_details.cached_tokens,
        total=told.total_tokens,
    )
