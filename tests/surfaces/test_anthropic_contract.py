"""Every kind of answer through Anthropic's Messages, whole and streamed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.surfaces.scripts import TOLD, Told

if TYPE_CHECKING:
    import httpx2

NAMES = sorted(TOLD)
FRAME = re.compile(rb"event: ([a-z_]+)\ndata: (\{[^\n]*\})\n\n")
FINISH = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
BLOCKS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("tool_use", "input"),
}


def ask(http: httpx2.Client, name: str) -> httpx2.Response:
    """Ask for a whole message."""
    return http.post("messages", json=body(name))


def body(name: str, **fields: Any) -> dict[str, Any]:
    """Return a request."""
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": f"scripted/{name}", "max_tokens": 99, "messages": messages, **fields}


def events(http: httpx2.Client, name: str) -> list[Any]:
    """Return the events of a stream: there is nothing between them, and each one's `event` line repeats its type."""
    with http.stream("POST", "messages", json=body(name, stream=True)) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        sent = response.read()
    found = list(FRAME.finditer(sent))
    assert b"".join(each[0] for each in found) == sent
    told = [(each[1].decode(), msgspec.json.decode(each[2])) for each in found]
    assert [kind for kind, _ in told] == [event["type"] for _, event in told]
    return [event for _, event in told]


def assembled(stream: list[Any]) -> Any:
    """Return the message that a stream tells, put together as clients do it; its order is checked."""
    first, *middle, end, stop = stream
    assert (first["type"], end["type"], stop) == ("message_start", "message_delta", {"type": "message_stop"})
    whole = first["message"]
    assert (whole["content"], whole["stop_reason"]) == ([], None)
    whole["content"] = blocks_of(middle)
    return {**whole, **end["delta"], "usage": {**whole["usage"], **end["usage"]}}


def blocks_of(stream: list[Any]) -> list[Any]:
    """Return the blocks of a stream: numbered without gaps, one open at a time, each stopped."""
    blocks: list[Any] = []
    is_open = False
    for event in stream:
        if event["type"] == "content_block_start":
            assert (is_open, event["index"]) == (False, len(blocks))
            blocks.append(event["content_block"] | ({"input": ""} if "input" in event["content_block"] else {}))
        else:
            assert (is_open, event["index"]) == (True, len(blocks) - 1)
        if event["type"] == "content_block_delta":
            kind = event["delta"].pop("type")
            block, key = BLOCKS[kind]
            assert blocks[-1]["type"] == block
            (piece,) = event["delta"].values()
            blocks[-1][key] += piece
        is_open = event["type"] != "content_block_stop"
    assert not is_open
    return blocks


def told_by(message: Any) -> Told:
    """Return what a message tells, in no surface's words."""
    blocks, refusal = message["content"], (message["stop_details"] or {}).get("explanation") or ""
    finish = "stop" if refusal else FINISH.get(message["stop_reason"], "content_filter")
    return Told(
        text="".join(each["text"] for each in blocks if each["type"] == "text").removesuffix(refusal),
        reasoning="".join(each["thinking"] for each in blocks if each["type"] == "thinking"),
        refusal=refusal,
        calls=tuple((each["name"], arguments(each["input"])) for each in blocks if each["type"] == "tool_use"),
        finish=finish,
        tokens=tokens(message["usage"]),
    )


def arguments(given: Any) -> str:
    """Return a call's arguments as the model wrote them: streamed as text, parsed in a whole message."""
    if isinstance(given, str):
        return given
    return given.get("INVALID_JSON") or msgspec.json.encode(given).decode()


def tokens(usage: Any) -> tuple[int, int, int, int] | None:
    """Return the numbers of a usage, cached ones counted as input again; None where none are known."""
    cached = usage["cache_read_input_tokens"]
    if usage["output_tokens_details"] is None:
        return None
    return (
        usage["input_tokens"] + cached,
        usage["output_tokens"],
        cached,
        usage["output_tokens_details"]["thinking_tokens"],
    )


@pytest.mark.parametrize("name", NAMES)
def test_whole(http: httpx2.Client, name: str) -> None:
    """A whole message tells the answer; one that failed is an error."""
    response, told = ask(http, name), TOLD[name]
    if told.error is not None:
        assert (response.status_code, response.json()["error"]) == (
            502,
            {"type": "api_error", "message": told.error},
        )
    else:
        assert response.status_code == 200
        assert told_by(response.json()) == told


@pytest.mark.parametrize("name", NAMES)
def test_streamed(http: httpx2.Client, name: str) -> None:
    """The events put together tell the answer; one that fails midway ends in an error."""
    stream, told = events(http, name), TOLD[name]
    if told.error is None:
        assert told_by(assembled(stream)) == told
        return
    first, *middle, last = stream
    assert first["type"] == "message_start"
    assert "".join(block["text"] for block in blocks_of(middle)) == told.text
    assert last["error"] == {"type": "api_error", "message": told.error}
    assert last["request_id"] == first["message"]["id"].replace("msg_", "req_")


@pytest.mark.parametrize("name", [name for name in NAMES if TOLD[name].error is None])
def test_both_alike(http: httpx2.Client, name: str) -> None:
    """Whole and streamed have the same keys and the same kinds of blocks."""
    whole, streamed = ask(http, name).json(), assembled(events(http, name))
    assert whole.keys() == streamed.keys()
    assert whole["usage"].keys() == streamed["usage"].keys()
    assert [each.keys() for each in whole["content"]] == [each.keys() for each in streamed["content"]]


def test_a_message(http: httpx2.Client) -> None:
    """All keys that Anthropic's API reference asks for, those without a value as null."""
    message = ask(http, "text").json()
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "scripted/text",
        "content": [{"type": "text", "text": TOLD["text"].text, "citations": []}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 2},
            "server_tool_use": None,
            "cache_creation": None,
            "inference_geo": None,
            "service_tier": "standard",
        },
    }


def test_a_call(http: httpx2.Client) -> None:
    """A call's input is parsed, and it says who calls."""
    (block,) = ask(http, "call").json()["content"]
    assert block.pop("id").startswith("call_")
    assert block == {"type": "tool_use", "name": "weather", "input": {"city": "서울"}, "caller": {"type": "direct"}}


@pytest.mark.parametrize(
    ("name", "reason", "explanation"), [("refusal", "refusal", TOLD["refusal"].refusal), ("filtered", "refusal", None)]
)
def test_a_refusal(http: httpx2.Client, name: str, reason: str, explanation: str | None) -> None:
    """Whoever refuses, model or filter, it is a refusal; the model's words are its explanation."""
    message = ask(http, name).json()
    assert message["stop_reason"] == reason
    assert message["stop_details"] == {"type": "refusal", "category": None, "explanation": explanation}
