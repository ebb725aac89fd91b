"""Ollama's API without an Ollama, answered by our agents and models, through Ollama's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ollama
import pytest
from tests.runner.fakes import FakeProvider

from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.storage import usage
from agentbench.surfaces.ollama.own import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]

HI = [{"role": "user", "content": "Hi"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_list(own: ollama.Client) -> None:
    """Agents and models are listed with their tags, and the fields that Ollama has."""
    models = own.list().models
    assert [each.model for each in models[:2]] == ["bot:latest", "local/smollm2-135m-instruct:latest"]
    assert models[0].details is not None
    assert models[0].details.family == "agent"
    assert len(models[0].digest or "") == 64


def test_chat(own: ollama.Client, bench: Workbench) -> None:
    """A plain answer comes whole, with counts and durations, and is a row in the ledger."""
    answer = own.chat("bot", HI)
    assert (answer.model, answer.message.content, answer.done_reason) == ("bot", "Hello, 세계! 🙂", "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (11, 7)
    assert 0 < (answer.eval_duration or 0) < (answer.total_duration or 0)
    row = bench._database.read_now(usage.rows)[-1]
    assert (row.agent, row.input_tokens, row.output_tokens, row.status) == ("bot", 11, 7, "completed")


@pytest.mark.parametrize("name", ["bot", "bot:latest", "scripted/text", "scripted/text:latest", "text:latest"])
def test_names_with_and_without_a_tag(own: ollama.Client, name: str) -> None:
    """A name means the same with `:latest` and without, and an answer says it as it was said."""
    parts = list(own.chat(name, HI, stream=True))
    assert "".join(part.message.content or "" for part in parts) == "Hello, 세계! 🙂"
    assert {part.model for part in parts} == {name}
    assert [part.done for part in parts[-2:]] == [False, True]


def test_generate(own: ollama.Client) -> None:
    """A prompt is answered in pieces, or whole."""
    assert own.generate("bot", "Hi").response == "Hello, 세계! 🙂"
    parts = list(own.generate("bot", "Hi", stream=True))
    assert "".join(part.response or "" for part in parts) == "Hello, 세계! 🙂"
    assert (parts[-1].done, parts[-1].eval_count) == (True, 7)


def test_thinking_and_calls(own: ollama.Client) -> None:
    """What a model thinks and which functions it calls stand where Ollama's clients look."""
    answer = own.chat("scripted/reasoning", HI)
    assert (answer.message.thinking, answer.message.content) == ("Let me think. ", "It is 42.")
    calls = own.chat("scripted/call", HI).message.tool_calls or ()
    assert [(call.function.name, call.function.arguments) for call in calls] == [("weather", {"city": "서울"})]
    thought = [part.thinking for part in own.generate("scripted/reasoning", "Hi", stream=True) if part.thinking]
    assert "".join(thought) == "Let me think. "


def test_settings_arrive(own: ollama.Client, upstream: Put) -> None:
    """Options, format, images and system text reach the model as our own settings."""
    provider = upstream(FakeProvider())
    options = {"temperature": 0.5, "num_predict": 9, "seed": 3, "stop": ["x"], "top_p": 0.25, "num_ctx": 4096}
    own.generate("scripted/text", "Look", system="Be brief.", images=[PIXEL], options=options, think="low")
    (asked,) = provider.requests
    assert (asked.temperature, asked.max_output_tokens, asked.seed, asked.stop) == (0.5, 9, 3, ("x",))
    assert (asked.instructions, asked.top_p, asked.reasoning and asked.reasoning.effort) == ("Be brief.", 0.25, "low")
    message = asked.input[0]
    assert isinstance(message, Message)
    assert getattr(message.content[1], "image_url", None) == f"data:image/png;base64,{PIXEL}"


@pytest.mark.parametrize(
    ("form", "expected"), [("json", "json_object"), ({"type": "object"}, "json_schema"), ("", "text")]
)
def test_formats(own: ollama.Client, upstream: Put, form: Any, expected: str) -> None:
    """An answer can be asked for as JSON, or by a schema."""
    provider = upstream(FakeProvider())
    own.chat("scripted/text", HI, format=form)
    assert provider.requests[0].text.format.__struct_config__.tag == expected


def test_results_of_tools_find_their_calls(own: ollama.Client, upstream: Put) -> None:
    """Ollama's messages have no ids for calls: results are matched by the tool's name, in order."""
    provider = upstream(FakeProvider())
    calls = [{"function": {"name": name, "arguments": {"n": n}}} for n, name in enumerate(("a", "b", "a"))]
    results = [
        {"role": "tool", "content": text, "tool_name": name} for text, name in (("1", "b"), ("2", "a"), ("3", "a"))
    ]
    own.chat("scripted/text", [*HI, {"role": "assistant", "content": "", "tool_calls": calls}, *results])
    items = provider.requests[0].input
    made = {item.call_id: item.arguments for item in items if isinstance(item, FunctionCall)}
    answered = [(made[item.call_id], item.output) for item in items if isinstance(item, FunctionCallOutput)]
    assert answered == [('{"n":1}', "1"), ('{"n":0}', "2"), ('{"n":2}', "3")]


def test_nothing_to_answer(own: ollama.Client) -> None:
    """Without messages or a prompt, with which Ollama loads a model, it is said to be there."""
    assert (own.chat("bot").done_reason, own.generate("bot").done_reason) == ("load", "load")
    assert own.generate("bot", keep_alive=0).done_reason == "unload"
    with pytest.raises(ollama.ResponseError, match="no model 'nobody'"):
        own.generate("nobody")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "x", "suffix": "y"}, "`suffix`"),
        ({"prompt": "x", "raw": True}, "`raw`"),
        ({"prompt": "x", "context": [1, 2]}, "`context`"),
        ({"prompt": "x", "images": ["no image"]}, "images"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "x", "format": 7}, "format"),
        ({"prompt": "x", "options": []}, "options"),
        ({"prompt": "x", "stream": "yes"}, "stream"),
        ({"prompt": "x", "options": {"temperature": "hot"}}, "temperature"),
        ({"prompt": "x", "think": {}}, "effort"),
    ],
)
def test_what_cant_be_asked(raw: httpx2.Client, body: dict[str, Any], param: str) -> None:
    """What can't be honoured is an explicit error that both kinds of clients can read."""
    answer = raw.post("/api/generate", json={"model": "bot", **body})
    assert answer.status_code == 400
    assert answer.json()["error"] == answer.json()["detail"]
    assert param in answer.json()["error"]


@pytest.mark.parametrize(
    "messages",
    [
        ["Hi"],
        [{"role": "tool", "content": "x"}],
        [{"role": "assistant", "tool_calls": [{}]}],
        [{"role": "nobody", "content": "x"}],
        [{"role": "user", "content": [1]}],
        "Hi",
    ],
)
def test_messages_that_arent(raw: httpx2.Client, messages: Any) -> None:
    """Messages that make no sense are the caller's error."""
    answer = raw.post("/api/chat", json={"model": "bot", "messages": messages})
    assert (answer.status_code, "messages" in answer.json()["error"] or "role" in answer.json()["error"]) == (400, True)


def test_an_answer_that_fails(own: ollama.Client) -> None:
    """A failure in a stream is a line that the client raises; a plain answer is an error status."""
    with pytest.raises(ollama.ResponseError, match="The model caught fire"):
        list(own.chat("scripted/failed", HI, stream=True))
    with pytest.raises(ollama.ResponseError, match="The model caught fire") as caught:
        own.chat("scripted/failed", HI)
    assert caught.value.status_code == 502


def test_show(own: ollama.Client, bench: Workbench) -> None:
    """An agent is described without its instructions, a model of this machine with its licence."""
    agent, model = own.show("bot:latest"), own.show("smollm2-135m-instruct")
    assert "Be kind." not in str(agent)
    assert (agent.capabilities, model.license) == (["completion", "tools"], "Apache-2.0")
    with pytest.raises(ollama.ResponseError, match="no model 'nobody'") as caught:
        own.show("nobody")
    assert caught.value.status_code == 404


def test_version_and_status(raw: httpx2.Client) -> None:
    """The version is that of the API which is followed; the root says that somebody is here."""
    assert raw.get("/api/version").json() == {"version": VERSION}
    assert raw.get("/").json() == {"status": True}


def test_there_is_nothing_to_manage(own: ollama.Client) -> None:
    """Making, copying, deleting and uploading models needs an Ollama, and says so."""
    for attempt in (
        lambda: own.delete("bot"),
        lambda: own.copy("bot", "cat"),
        lambda: own.create("cat", from_="bot"),
        lambda: own.push("bot"),
    ):
        with pytest.raises(ollama.ResponseError, match="needs an Ollama") as caught:
            attempt()
        assert caught.value.status_code == 400


def test_bodies_without_a_content_type(raw: httpx2.Client) -> None:
    """What `curl -d` sends is read as JSON, whatever it says that it is."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = raw.post("/api/generate", content=b'{"model": "bot", "prompt": "Why?"}', headers=form)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text.splitlines()[-1].count('"done":true') == 1


@pytest.mark.anyio
async def test_the_asynchronous_client(bench: Workbench) -> None:
    """Ollama's asynchronous client works in this process too."""
    async with ollama.AsyncClient(host="http://in-process/ollama", transport=bench.async_transport()) as client:
        assert (await client.chat("bot", HI)).message.content == "Hello, 세계! 🙂"


@pytest.mark.local_model
def test_the_local_model(own: ollama.Client) -> None:
    """The model in this process answers, and is then among those that are loaded."""
    answer = own.generate("smollm2-135m-instruct", "Say hi.", options={"num_predict": 3, "seed": 1})
    assert (answer.eval_count, answer.done_reason) == (3, "length")
    (loaded,) = own.ps().models
    assert (loaded.model, loaded.size_vram) == ("local/smollm2-135m-instruct:latest", 0)
    assert loaded.size == 98_362_432
