"""Details of Anthropic's stream that the recordings' table doesn't tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.replay import frames, recorded, replay

from agentbench.protocol import collect
from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText, UrlCitation
from agentbench.protocol.items import Message, Reasoning
from agentbench.providers.anthropic_messages import REDACTED, SIGNED

if TYPE_CHECKING:
    from agentbench.protocol import Response

SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"


def answer(*events: dict[str, Any]) -> Response:
    """Return the response that events make."""
    return collect(replay("anthropic", [frames(*events)]))


def replayed(name: str) -> Response:
    """Return the response that a recording makes."""
    return collect(replay("anthropic", [recorded(f"anthropic/{name}")]))


def seals(response: Response) -> list[object]:
    """Return what seals each item of reasoning."""
    return [item.encrypted_content for item in response.output if isinstance(item, Reasoning)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("interleaved_thinking.sse", [SIGNED + SIGNATURE, f"{SIGNED}{SIGNATURE}Zg=="]),
        ("thinking_omitted.sse", [SIGNED + SIGNATURE]),
        ("not_streamed.json", [SIGNED + SIGNATURE]),
        (
            "redacted_thinking.sse",
            [
                SIGNED + SIGNATURE,
                f"{REDACTED}EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP",
                f"{REDACTED}EtQBCgIYAhIkM2UyYzFhYmQtNDI3Ny00",
            ],
        ),
    ],
)
def test_seals(name: str, expected: list[str]) -> None:
    """Each thought is an item of its own, sealed in a way that tells thinking from redacted thinking."""
    assert seals(replayed(name)) == expected


def test_unsigned_thinking() -> None:
    """A server that signs nothing leaves reasoning unsealed."""
    block = {"type": "thinking", "thinking": "Hm.", "signature": ""}
    response = answer({"type": "message", "content": [block], "stop_reason": "end_turn"})
    assert [type(seal).__name__ for seal in seals(response)] == ["UnsetType"]


def test_citations() -> None:
    """A cited page is told with the part of the text that it is for."""
    (message,) = replayed("search_citations.sse").output
    assert isinstance(message, Message)
    (part,) = message.content
    assert isinstance(part, OutputText)
    cited = UrlCitation(url="https://example.org/seoul", title="Seoul", start_index=10, end_index=28)
    assert (part.annotations, part.text[10:28]) == ((cited,), "9.4 million people")


def test_arguments_stream() -> None:
    """Arguments come in the pieces in which they were sent; those of the server's own calls don't."""
    events = replay("anthropic", [recorded("anthropic/parallel_calls.sse")])
    deltas = [event.delta for event in events if isinstance(event, ev.ArgumentsDelta)]
    assert deltas == ['{"city":', '"Seo', 'ul"}', '{"city":"Jeju"}']


def test_items_end_with_their_blocks() -> None:
    """An item is done when its block stops, before the next one begins."""
    events = replay("anthropic", [recorded("anthropic/interleaved_thinking.sse")])
    steps = [(type(event), event.output_index) for event in events if isinstance(event, ev.ItemAdded | ev.ItemDone)]
    assert steps == [(step, index) for index in range(5) for step in (ev.ItemAdded, ev.ItemDone)]


def test_input_at_once_and_an_empty_piece() -> None:
    """An empty piece of arguments leaves those that came with the call."""
    call = {"type": "tool_use", "id": "c1", "name": "look", "input": {"x": 1}}
    empty = {"type": "input_json_delta", "partial_json": ""}
    response = answer(
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": empty},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
    )
    assert [call.arguments for call in response.function_calls] == ['{"x":1}']


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("overloaded_error", "upstream_unavailable", "upstream_unavailable"),
        ("rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
        ("timeout_error", "upstream_timeout", "upstream_timeout"),
        ("api_error", "upstream_error", "upstream_error"),
        (None, "upstream_error", "upstream_error"),
    ],
)
def test_error_kinds(kind: str | None, code: str, told: str) -> None:
    """An error in the stream keeps its kind; what it says has no key in it."""
    events = replay("anthropic", [frames({"type": "error", "error": {"type": kind, "message": "No. sk-ant-abcdef"}})])
    (error,) = (event.error for event in events if isinstance(event, ev.ErrorEvent))
    assert (error.code, error.type, error.message) == (code, told, "The upstream broke off: No. sk-****")


@pytest.mark.parametrize("error", [{}, {"error": None}, {"error": {"type": "api_error"}}])
def test_error_that_says_little(error: dict[str, Any]) -> None:
    """An error with nothing in it is one all the same."""
    assert answer({"type": "error", **error}).status == "failed"


def test_broken_piece() -> None:
    """A known event of another shape, or what isn't JSON, fails the response."""
    for data in (frames({"type": "content_block_delta", "delta": [1]}), b"data: {half\n\n"):
        response = collect(replay("anthropic", [data]))
        assert response.error is not None
        assert response.error.code == "upstream_garbled"


def test_stop_without_a_reason() -> None:
    """A stream that ends without a reason has ended well."""
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}}
    assert answer(begun, {"type": "message_stop"}).status == "completed"
    assert answer({"type": "message", "content": []}).status == "completed"
