"""Every kind of answer through every surface, whole and streamed: all tell the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.surfaces.scripts import TOLD, Told

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx2

NAMES = sorted(TOLD)


def ask_chat(http: httpx2.Client, name: str, **fields: Any) -> httpx2.Response:
    """Ask through Chat Completions."""
    body = {"model": f"scripted/{name}", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return http.post("chat/completions", json=body)


def ask_responses(http: httpx2.Client, name: str, **fields: Any) -> httpx2.Response:
    """Ask through Open Responses."""
    return http.post("responses", json={"model": f"scripted/{name}", "input": "Hi", **fields})


def frames(response: httpx2.Response) -> list[Any]:
    """Return the JSON of a stream's frames; its end is checked."""
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in response.text.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [msgspec.json.decode(line) for line in lines[:-1]]


def tokens(usage: Any, names: tuple[str, str]) -> tuple[int, int, int, int] | None:
    """Return the numbers of a usage, in either surface's words."""
    if usage is None:
        return None
    details = [usage[f"{name}_details"] for name in names]
    assert usage["total_tokens"] == usage[names[0]] + usage[names[1]]
    return usage[names[0]], usage[names[1]], details[0]["cached_tokens"], details[1]["reasoning_tokens"]


def of_message(message: Any, finish: str, usage: Any) -> Told:
    """Return what a chat message tells."""
    calls = [each["function"] for each in message.get("tool_calls") or ()]
    return Told(
        text=message.get("content") or "",
        reasoning=message.get("reasoning_content") or "",
        refusal=message.get("refusal") or "",
        calls=tuple((call["name"], call["arguments"]) for call in calls),
        finish=finish,
        tokens=tokens(usage, ("prompt_tokens", "completion_tokens")),
    )


def assembled(chunks: Iterable[Any]) -> Told:
    """Return what the chunks of a chat stream tell, put together as clients do it."""
    message: dict[str, Any] = {"tool_calls": []}
    finish, usage = "", None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            grow(message, choice["delta"])
    return of_message(message, finish, usage)


def grow(message: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta to the message so far."""
    for name in ("content", "reasoning_content", "refusal"):
        message[name] = message.get(name, "") + (delta.get(name) or "")
    for piece in delta.get("tool_calls") or ():
        if piece["index"] == len(message["tool_calls"]):
            assert piece["id"]
            assert piece["type"] == "function"
            message["tool_calls"].append({"function": {"name": piece["function"]["name"], "arguments": ""}})
        message["tool_calls"][piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


def of_response(response: Any) -> Told:
    """Return what a response tells."""
    kinds: dict[str, list[Any]] = {"message": [], "reasoning": [], "function_call": []}
    for item in response["output"]:
        kinds[item["type"]].append(item)
    parts = [part for item in kinds["message"] for part in item["content"]]
    cut = (response["incomplete_details"] or {}).get("reason")
    return Told(
        text="".join(part.get("text", "") for part in parts),
        reasoning="".join(part["text"] for item in kinds["reasoning"] for part in item.get("content", ())),
        refusal="".join(part.get("refusal", "") for part in parts),
        calls=tuple((item["name"], item["arguments"]) for item in kinds["function_call"]),
        finish={"max_output_tokens": "length"}.get(cut, cut) or ("tool_calls" if kinds["function_call"] else "stop"),
        error=response["error"] and response["error"]["message"],
        tokens=tokens(response["usage"], ("input_tokens", "output_tokens")),
    )


@pytest.mark.parametrize("name", NAMES)
def test_chat(http: httpx2.Client, name: str) -> None:
    """A whole completion tells the answer; one that failed is an error."""
    response, told = ask_chat(http, name), TOLD[name]
    if told.error is not None:
        assert (response.status_code, response.json()["error"]["message"]) == (502, told.error)
        return
    (choice,) = response.json()["choices"]
    assert response.status_code == 200
    assert of_message(choice["message"], choice["finish_reason"], response.json()["usage"]) == told


@pytest.mark.parametrize("name", NAMES)
def test_chat_streamed(http: httpx2.Client, name: str) -> None:
    """The chunks put together tell the answer; one that fails midway ends in an error frame."""
    chunks = frames(ask_chat(http, name, stream=True, stream_options={"include_usage": True}))
    told = TOLD[name]
    if told.error is not None:
        assert chunks.pop()["error"]["message"] == told.error
        assert assembled(chunks) == told._replace(finish="", error=None)
    else:
        assert assembled(chunks) == told
        assert chunks[-1]["choices"] == []
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_responses(http: httpx2.Client, name: str) -> None:
    """A whole response tells the answer, also one that failed."""
    response = ask_responses(http, name)
    assert response.status_code == 200
    assert of_response(response.json()) == TOLD[name]
    assert response.json()["status"] == TOLD[name].status


@pytest.mark.parametrize("name", NAMES)
def test_responses_streamed(http: httpx2.Client, name: str) -> None:
    """The last event tells the answer, and so do the deltas before it."""
    events = frames(ask_responses(http, name, stream=True))
    last = events[-1]
    assert last["type"] == f"response.{TOLD[name].status}"
    assert of_response(last["response"]) == TOLD[name]
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == TOLD[name].text
    assert [event["type"] for event in events].count("error") == (TOLD[name].error is not None)
