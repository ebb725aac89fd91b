"""What a request may say, and what is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from tests.runner.fakes import FakeProvider

from agentbench.auth.principal import Principal
from agentbench.errors import InvalidRequest
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.gateway.transports import InProcessTransport
from agentbench.protocol.content import LogProb
from agentbench.protocol.decode import decode_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
CALL = {"type": "function_call", "call_id": "call_1", "name": "now", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "noon"}
NOW = {"type": "function", "name": "now"}


def ask(http: httpx2.Client, *items: Any, **fields: Any) -> Any:
    """Return the answer's body to items."""
    return http.post("responses", json={"model": "bot", "input": items or "Hi", **fields}).json()


def error(http: httpx2.Client, *items: Any, **fields: Any) -> tuple[int, str | None]:
    """Return the status and what is wrong."""
    answer = http.post("responses", json={"model": "bot", "input": items or "Hi", **fields})
    return answer.status_code, answer.json()["error"]["param"]


def user(*parts: Any) -> dict[str, Any]:
    """Return a user's message."""
    return {"role": "user", "content": list(parts)}


# -- references -----------------------------------------------------------------------------------------------------


def test_references(http: httpx2.Client, upstream: Put) -> None:
    """A reference stands for the item itself, of an input or an output, with its type or without."""
    provider = upstream(FakeProvider())
    first = ask(http, user({"type": "input_text", "text": "My name is Ada."}))
    asked = http.get(f"responses/{first['id']}/input_items").json()["data"][0]["id"]
    references = [{"type": "item_reference", "id": asked}, {"id": first["output"][0]["id"]}]
    second = ask(http, *references, user({"type": "input_text", "text": "Who am I?"}))
    assert [item.text for item in provider.requests[-1].input] == ["My name is Ada.", "one two three", "Who am I?"]
    assert len(http.get(f"responses/{second['id']}/input_items").json()["data"]) == 3


def test_a_reference_to_nothing(bench: Workbench, http: httpx2.Client) -> None:
    """404, also for another user's item."""
    mine = ask(http)["output"][0]["id"]
    transport = InProcessTransport(bench._loop, lambda: bench.app, Principal(user="other"))
    with httpx2.Client(transport=transport, base_url=f"{IN_PROCESS_URL}/") as other:
        assert error(other, {"type": "item_reference", "id": mine}) == (404, "input[0].id")
    assert error(http, {"id": "msg_none"}) == (404, "input[0].id")


def test_too_many_references(http: httpx2.Client) -> None:
    """Each costs a search, so there is a limit."""
    assert error(http, *({"id": f"msg_{number}"} for number in range(101))) == (400, "input")


@pytest.mark.parametrize("items", [[OUTPUT], [OUTPUT, CALL], [CALL, {**OUTPUT, "call_id": "call_2"}]])
def test_an_output_without_its_call(http: httpx2.Client, items: list[Any]) -> None:
    """400, whether the call is missing or comes too late."""
    status, param = error(http, *items)
    assert (status, str(param)[-8:]) == (400, ".call_id")


# -- items that are replayed ----------------------------------------------------------------------------------------


def test_every_output_is_input(http: httpx2.Client) -> None:
    """What came out goes in again as it is."""
    for name in ("text", "reasoning", "refusal", "text-and-calls"):
        output = ask(http, model=f"scripted/{name}", store=False)["output"]
        assert ask(http, *output, user())["status"] == "completed"


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "user", "content": "Hi", "id": None, "status": None},
        {"type": "message", "role": "assistant", "content": "Hi", "phase": "commentary"},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "logprobs": None}]},
        {"type": "reasoning", "summary": []},
        {"type": "reasoning", "id": "rs_1", "summary": None, "content": None, "encrypted_content": None},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAAA"},
        {**CALL, "status": None, "some_new_field": {"a": 1}},
        user({"type": "input_image", "image_url": PIXEL}),
        user({"type": "input_image", "image_url": "https://images.invalid/a.png", "detail": None}),
        user({"type": "input_file", "file_data": "aGk=", "filename": "a.txt"}),
        user({"type": "input_file", "file_url": "https://files.invalid/a.pdf"}),
    ],
)
def test_items_that_are_read(http: httpx2.Client, item: Any) -> None:
    """Clients write them so."""
    assert ask(http, item, user())["status"] == "completed"


@pytest.mark.parametrize(
    "item",
    [
        5,
        {"type": "web_search_call", "id": "ws_1"},
        {"type": None, "role": "user", "content": 5},
        {"role": "nobody", "content": "Hi"},
        {"type": "function_call", "call_id": "call_1", "arguments": "{}"},
        {**CALL, "status": "done"},
        user({"type": "input_image"}),
        user({"type": "input_image", "image_url": "file:///etc/hosts"}),
        user({"type": "input_image", "image_url": "data:image/png;base64," + "A" * 20 * 2**20}),
        user({"type": "input_file", "file_id": "file_1"}),
        user({"type": "input_sound"}),
    ],
)
def test_items_that_are_refused(item: Any) -> None:
    """400, with the place."""
    with pytest.raises(InvalidRequest) as caught:
        decode_request({"model": "bot", "input": [item]})
    assert str(caught.value.param).startswith("input[0]")


# -- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 15, 16])
def test_small_limits(http: httpx2.Client, limit: int) -> None:
    """The spec's minimum of 16 is not held: many clients ask for less."""
    assert ask(http, max_output_tokens=limit)["max_output_tokens"] == limit


@pytest.mark.parametrize(
    "fields",
    [
        {"max_output_tokens": 0},
        {"max_tool_calls": 0},
        {"temperature": 2.1},
        {"top_p": "high"},
        {"top_logprobs": 21},
        {"metadata": {f"k{number}": "" for number in range(17)}},
        {"metadata": {"k": "x" * 513}},
        {"metadata": {"k" * 65: ""}},
        {"metadata": {"k": 1}},
        {"truncation": "some"},
        {"tool_choice": "maybe"},
        {"tool_choice": {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}] * 129}},
        {"tools": [{"type": "function", "name": ""}]},
        {"tools": [{"type": "web_search"}]},
        {"text": {"format": {"type": "xml"}}},
        {"reasoning": {"effort": "extreme"}},
        {"store": "yes"},
    ],
)
def test_bad_settings(http: httpx2.Client, fields: dict[str, Any]) -> None:
    """400, with the name."""
    status, param = error(http, **fields)
    assert (status, str(param).startswith(next(iter(fields)))) == (400, True)


def test_what_is_echoed(http: httpx2.Client) -> None:
    """What was asked for stands in every snapshot, the default where nothing was, and what nobody knows nowhere."""
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None}}}
    form = {"type": "json_schema", "name": "a", "description": None, "schema": schema, "strict": True}
    asked = {
        "text": {"format": form, "verbosity": "low"},
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "now"}]},
        "parallel_tool_calls": False,
        "max_tool_calls": 3,
        "truncation": "auto",
        "metadata": {"k" * 64: "x" * 512},
        "reasoning": {"effort": "low", "summary": None},
    }
    answer = ask(http, tools=[NOW], include=["reasoning.encrypted_content", "x"], conversation="c", some_new=1, **asked)
    assert {name: answer[name] for name in asked} == asked
    assert "some_new" not in answer


def test_log_probabilities(http: httpx2.Client, upstream: Put) -> None:
    """To include them is to ask for them; they are in the answer, over both surfaces."""
    told = (LogProb(token="Hi", logprob=-0.5),)
    provider = upstream(FakeProvider(lambda builder: builder.text("Hi", logprobs=told)))
    answer = ask(http, include=["message.output_text.logprobs"])
    assert (provider.requests[-1].top_logprobs, answer["top_logprobs"]) == (1, 0)
    (expected,) = msgspec.to_builtins(told)
    assert answer["output"][0]["content"][0]["logprobs"] == [msgspec.json.decode(msgspec.json.encode(expected))]
    body = {"model": "bot", "messages": [{"role": "user", "content": "Hi"}], "logprobs": True}
    (choice,) = http.post("chat/completions", json=body).json()["choices"]
    assert choice["logprobs"]["content"][0]["token"] == "Hi"


def test_allowed_tools(http: httpx2.Client, upstream: Put) -> None:
    """A call of any other tool fails the response: the client never sees a call that it ruled out as one to run."""
    upstream(FakeProvider(lambda builder: builder.call(1, name="then", arguments="{}")))
    choice = {"type": "allowed_tools", "tools": [{"type": "function", "name": "now"}]}
    answer = ask(http, tools=[NOW, {"type": "function", "name": "then"}], tool_choice=choice)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "tool_not_allowed")


def test_a_body_that_is_too_large(http: httpx2.Client) -> None:
    """413, in the shape of the surface."""
    big = b'{"model": "bot", "input": "' + b"x" * 20 * 2**20 + b'"}'
    for path, kind in (("responses", "invalid_request_error"), ("messages", "request_too_large")):
        answer = http.post(path, content=big)
        assert (answer.status_code, answer.json()["error"]["type"]) == (413, kind)
