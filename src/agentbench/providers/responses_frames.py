"""What a Responses upstream sends, as values: only the parts that events are made from.

An item or a response is read in a second step, as in an unknown event the same field may hold anything.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.counts import told_counts

__all__ = ["Frame", "WholeItem", "WholePart", "WholeResponse", "citation", "log_probs", "read_item", "usage"]

_ITEMS = ("message", "function_call", "reasoning")


class Frame(msgspec.Struct):
    """Any event, or a whole response (by its `object`)."""

    type: str = ""
    item_id: str | None = None
    output_index: int | None = None
    summary_index: int | None = None
    delta: Any = None
    arguments: Any = None
    logprobs: list[dict[str, Any]] | None = None
    annotation: dict[str, Any] | None = None
    item: msgspec.Raw = msgspec.Raw(b"null")
    response: msgspec.Raw = msgspec.Raw(b"{}")
    error: Any = None
    message: Any = None
    object: Any = None

    @property
    def text(self) -> str:
        """The delta of an event whose deltas are text."""
        return self.delta if isinstance(self.delta, str) else ""


class WholePart(msgspec.Struct):
    """A part of a message or of reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class WholeItem(msgspec.Struct):
    """A message, a function call or reasoning; how much of it is there depends on the event."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    content: list[WholePart] | None = None
    summary: list[WholePart] | None = None
    encrypted_content: str | None = None
    status: str | None = None


class _Kind(msgspec.Struct):
    type: str = ""


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _IncompleteDetails(msgspec.Struct):
    reason: str | None = None


class WholeResponse(msgspec.Struct):
    """How a response ended, and what it held."""

    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: Any = None
    incomplete_details: _IncompleteDetails | None = None
    error: Any = None


def read_item(raw: msgspec.Raw) -> WholeItem | None:
    """Return the item, or None if it is of a kind that isn't ours."""
    kind = msgspec.json.decode(raw, type=_Kind | None)
    return msgspec.json.decode(raw, type=WholeItem) if kind is not None and kind.type in _ITEMS else None


def usage(raw: Any) -> Usage | None:
    """Return the tokens, with 0 for what wasn't told; None if nothing was."""
    if (told := told_counts(raw, _Usage)) is None:
        return None
    incoming = told.input_tokens_details or _InputDetails()
    outgoing = told.output_tokens_details or _OutputDetails()
    return Usage.of(
        told.input_tokens or 0,
        told.output_tokens or 0,
        cached=incoming.cached_tokens or 0,
        cache_write=incoming.cache_write_tokens or 0,
        reasoning=outgoing.reasoning_tokens or 0,
        total=told.total_tokens,
    )


def log_probs(raw: list[dict[str, Any]] | None) -> tuple[LogProb, ...]:
    """Return the log probabilities, without the nulls that some servers put in."""
    if not raw:
        return ()
    return tuple(
        msgspec.convert({key: value for key, value in each.items() if value is not None}, LogProb) for each in raw
    )


def citation(raw: dict[str, Any]) -> UrlCitation | None:
    """Return the citation, or None if the annotation is of another kind."""
    try:
        return msgspec.convert(raw, UrlCitation)
    except msgspec.ValidationError:
        return None
