"""Upstreams of the Assistants API: answers streamed and looked at, threads that go on, and who may use what."""

from __future__ import annotations

from typing import Any

import httpx2
import msgspec
import pytest
from tests.providers.asking import HI
from tests.providers.assistants_asking import ask, every_way, provider, says, text
from tests.providers.assistants_upstream import KEY, FakeUpstream, Round
from tests.providers.replay import Told, told

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.content import InputFile, InputText, OutputText
from agentbench.protocol.items import Message, Reasoning, assistant_message, user_message

pytestmark = pytest.mark.anyio


# -- answers ----------------------------------------------------------------------------------------------------------

ENDS = {
    "completed": (says("Hello from here."), Told(text="Hello from here.", usage=(12, 5, 0, 0))),
    "incomplete": (
        says("Once upon", status="incomplete", more={"incomplete_details": {"reason": "max_completion_tokens"}}),
        Told(status="incomplete", text="Once upon", usage=(12, 5, 0, 0), why="max_output_tokens"),
    ),
    "too long": (
        says("Once", status="incomplete", more={"incomplete_details": {"reason": "max_prompt_tokens"}}),
        Told(status="incomplete", text="Once", usage=(12, 5, 0, 0), why="max_prompt_tokens"),
    ),
    "failed": (
        says("So", status="failed", more={"last_error": {"code": "server_error", "message": "It broke."}}),
        Told(status="failed", text="So", usage=(12, 5, 0, 0), why="The run failed upstream: It broke."),
    ),
    "cancelled": (says("I was", status="cancelled"), Told(status="cancelled", text="I was", usage=(12, 5, 0, 0))),
    "expired": (
        Round(status="expired"),
        Told(
            status="failed",
            why="The run expired upstream: it took too long, or nobody gave it its tools' outputs in time. Ask again.",
        ),
    ),
    "refused": (
        Round(parts=({"type": "refusal", "refusal": "I won't."},)),
        Told(refusal="I won't.", usage=(12, 5, 0, 0)),
    ),
}


@every_way
@pytest.mark.parametrize("end", ENDS)
async def test_end(way: dict[str, Any], end: str) -> None:
    """Each way in which a run ends is told, streamed or looked at."""
    now, expected = ENDS[end]
    upstream = FakeUpstream(now, polls=2)
    assert told(await ask(provider(upstream), upstream.endpoint(**way))) == expected


@every_way
async def test_secrets_in_why_a_run_failed(way: dict[str, Any]) -> None:
    """An upstream that repeats the key in a failed run doesn't get it shown."""
    error = {"code": "server_error", "message": f"No such key: {KEY}"}
    upstream = FakeUpstream(says("So", status="failed", more={"last_error": error}), polls=2)
    answer = told(await ask(provider(upstream), upstream.endpoint(**way)))
    assert answer.why == "The run failed upstream: No such key: ****"


@every_way
async def test_what_is_sent(way: dict[str, Any]) -> None:
    """Each upstream gets the key, the version and the mode in its own way."""
    upstream = FakeUpstream(says("Hello."))
    await ask(provider(upstream), upstream.endpoint(**way), instructions="Be brief.", temperature=0.5)
    asked = upstream.asked[-1 if not way else 2]
    sent = {name: asked.headers.get(name) for name in ("authorization", "api-key", "openai-beta")}
    azure = {"authorization": None, "api-key": KEY, "openai-beta": None}
    openai = {"authorization": f"Bearer {KEY}", "api-key": None, "openai-beta": "assistants=v2"}
    assert sent == (azure if way else openai)
    assert asked.query == ({"api-version": "2024-05-01-preview"} if way else {})
    mode = {} if way else {"stream": True}
    body = {"assistant_id": "asst_1", "additional_instructions": "Be brief.", "temperature": 0.5, **mode}
    assert upstream.bodies("/runs") == [body]


async def test_stream_answered_with_json() -> None:
    """An upstream that doesn't stream is looked at."""
    upstream = FakeUpstream(says("Hello."), streams=False, polls=3)
    response = await ask(provider(upstream), upstream.endpoint())
    assert (response.output_text, upstream.bodies("/runs")[0]["stream"]) == ("Hello.", True)


@pytest.mark.parametrize("cut", range(0, 1500, 37))
async def test_broken_stream(cut: int) -> None:
    """A stream that breaks off anywhere goes on by looking at the same run, and says nothing twice."""
    note = {"type": "file_citation", "text": "[1]", "start_index": 0, "end_index": 3, "file_citation": {"file_id": "f"}}
    upstream = FakeUpstream(Round(parts=(text("one two three four", note), text(" five"))), cut=cut)
    response = await ask(provider(upstream), upstream.endpoint())
    (message,) = (item for item in response.output if isinstance(item, Message))
    assert (message.text, len(message.content[0].annotations)) == ("one two three four five", 1)  # type: ignore[union-attr]
    assert (len(upstream.bodies("/runs")), response.usage and response.usage.input_tokens) == (1, 12)


@every_way
async def test_content(way: dict[str, Any]) -> None:
    """Pictures are shown, files are cited by name at their place in the whole text, code is told as reasoning."""
    note = {"type": "file_path", "text": "x", "start_index": 1, "end_index": 3, "file_path": {"file_id": "f1"}}
    picture = {"type": "image_file", "image_file": {"file_id": "plot"}}
    upstream = FakeUpstream(Round(parts=(text("See:"), picture, text("a file", note)), code=("1 + 1", "2")))
    upstream.assistants[0]["tools"] = [{"type": "code_interpreter"}]
    response = await ask(provider(upstream), upstream.endpoint(**way))
    thoughts = [item.text for item in response.output if isinstance(item, Reasoning)]
    assert thoughts == ["", "```python\n1 + 1\n```\n\n```\n2\n```"]
    part = response.output[-1].content[0]  # type: ignore[union-attr]
    assert isinstance(part, OutputText)
    before = "See:\n\n![plot.txt](data:image/png;base64,iVBORw0KGgo=)\n\n"
    (cited,) = part.annotations
    assert (part.text, cited.title, cited.start_index) == (f"{before}a file", "f1.txt", len(before) + 1)
    assert cited.url.startswith("https://assistants.example/v1/files/f1/content")


@pytest.mark.parametrize("content", [b"\x89PNG" + bytes(5_000_000), b"<svg/>"], ids=["too large", "no picture"])
async def test_picture_that_is_not_shown(content: bytes) -> None:
    """A picture that is too large, or is none, is linked."""
    upstream = FakeUpstream(Round(parts=({"type": "image_file", "image_file": {"file_id": "plot"}},)))
    upstream.faults["/content"] = [httpx2.Response(200, content=content)]
    response = await ask(provider(upstream), upstream.endpoint())
    assert response.output_text == "![plot.txt](https://assistants.example/v1/files/plot/content)\n\n"


# -- conversations ----------------------------------------------------------------------------------------------------


@every_way
async def test_next_turn(way: dict[str, Any]) -> None:
    """The next turn adds its message to the thread of the last."""
    upstream = FakeUpstream(says("Hello."), says("Fine."))
    assistants, endpoint = provider(upstream), upstream.endpoint(**way)
    first = await ask(assistants, endpoint)
    second = await ask(assistants, endpoint, HI, *first.output, user_message("How are you?"))
    assert (second.output_text, len(upstream.threads)) == ("Fine.", 1)
    assert upstream.bodies("/messages") == [{"role": "user", "content": "How are you?"}]


async def test_branch() -> None:
    """A turn that follows an earlier answer than the thread's last begins a new thread with what was said before."""
    upstream = FakeUpstream(says("Hello."), says("Fine."), says("Sunny."))
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    await ask(assistants, endpoint, HI, *first.output, user_message("How are you?"))
    await ask(assistants, endpoint, HI, *first.output, user_message("And the weather?"))
    assert upstream.bodies("/threads")[1]["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And the weather?"},
    ]


async def test_somebody_else_in_between() -> None:
    """A thread isn't gone on with after another model has answered, nor at another upstream, nor once it is gone."""
    upstream = FakeUpstream(*[says("Hello.") for _ in range(4)])
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    others = (user_message("Who?"), assistant_message("Another."))
    await ask(assistants, endpoint, HI, *first.output, *others, user_message("And?"))
    elsewhere = msgspec.structs.replace(endpoint, base_url="https://other.example/v1")
    await ask(assistants, elsewhere, HI, *first.output, user_message("And?"))
    assert len(upstream.threads) == 3
    upstream.threads.clear()
    await ask(assistants, endpoint, HI, *first.output, user_message("And?"))
    assert len(upstream.bodies("/threads")[-1]["messages"]) == 3


async def test_active_run_in_the_way() -> None:
    """A run that was left active on the thread is ended before the next message."""
    upstream = FakeUpstream(says("Hello."), says("Fine."))
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    upstream.runs["left"] = {"id": "left", "thread_id": "thread_1", "status": "in_progress"}
    second = await ask(assistants, endpoint, HI, *first.output, user_message("How are you?"))
    assert (second.output_text, upstream.runs["left"]["status"]) == ("Fine.", "cancelled")


async def test_files_and_pictures() -> None:
    """Files are uploaded and attached, pictures uploaded or named by their address."""
    upstream = FakeUpstream(says("Seen."))
    upstream.assistants[0]["tools"] = [{"type": "file_search"}]
    file = Message(
        id="msg_f", role="user", content=(InputText(text="Read"), InputFile(filename="a.txt", file_data="YQ=="))
    )
    pictures = user_message("Look", "https://example.org/a.png", "data:image/png;base64,iVBORw0KGgo=")
    await ask(provider(upstream), upstream.endpoint(), file, pictures)
    read, look = upstream.bodies("/threads")[0]["messages"]
    assert read["attachments"] == [{"file_id": "file_1", "tools": [{"type": "file_search"}]}]
    assert [part["type"] for part in look["content"]] == ["text", "image_url", "image_file"]
    purposes = [b"assistants" in each and b"a.txt" in each for each in upstream.bodies("/files")]
    assert (purposes, b"vision" in upstream.bodies("/files")[1]) == ([True, False], True)


async def test_first_version() -> None:
    """The API's first version knows files without tools, and messages of users only."""
    upstream = FakeUpstream(says("Seen."))
    file = Message(
        id="msg_f", role="user", content=(InputText(text="Read"), InputFile(filename="a.txt", file_data="YQ=="))
    )
    endpoint = upstream.endpoint(version="1")
    await ask(provider(upstream), endpoint, HI, assistant_message("Hello."), file)
    assert upstream.bodies("/threads")[0]["messages"][1:] == [
        {"role": "user", "content": "[You answered: Hello.]"},
        {"role": "user", "content": "Read", "file_ids": ["file_1"]},
    ]
    assert upstream.asked[-1].headers["openai-beta"] == "assistants=v1"


async def test_unreadable_files() -> None:
    """A file for an assistant that reads none, and a picture where none may be seen, are refused."""
    upstream = FakeUpstream()
    file = Message(id="msg_f", role="user", content=(InputFile(filename="a.txt", file_data="YQ=="),))
    with pytest.raises(InvalidRequest, match="has no tool that reads files"):
        await ask(provider(upstream), upstream.endpoint(), file)
    with pytest.raises(InvalidRequest, match="may not see pictures"):
        await ask(
            provider(upstream), upstream.endpoint(capabilities=("tools",)), user_message("Look", "https://e.org/a")
        )


# -- who may use what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({}, ["asst_1", "asst_2", "asst_3"]),
        ({"supported_ids": ("asst_2",), "excluded_ids": ("asst_2",)}, ["asst_2"]),
        ({"excluded_ids": ("asst_2",)}, ["asst_1", "asst_3"]),
        ({"private": True}, ["asst_3"]),
        ({"private": True, "user": "ann"}, []),
    ],
)
async def test_lists(settings: dict[str, Any], seen: list[str]) -> None:
    """The list and the use follow one rule."""
    upstream = FakeUpstream(says("Hello."))
    upstream.assistants += [{"id": "asst_2", "model": "m"}, {"id": "asst_3", "metadata": {"author": "kernel"}}]
    assistants, endpoint = provider(upstream), upstream.endpoint(**settings)
    assert list(await assistants.models(endpoint)) == seen
    if "asst_1" in seen:
        assert (await ask(assistants, endpoint)).output_text == "Hello."
    else:
        with pytest.raises(UnknownName, match="no assistant 'asst_1'"):
            await ask(assistants, endpoint)


async def test_deleted_assistant() -> None:
    """An assistant that is gone is told by name."""
    upstream = FakeUpstream()
    upstream.assistants.clear()
    with pytest.raises(UnknownName, match="no assistant 'asst_1'"):
        await ask(provider(upstream), upstream.endpoint())


async def test_capabilities() -> None:
    """A run doesn't get the tools of its assistant that aren't allowed here."""
    upstream = FakeUpstream(says("Hello."))
    function = {"type": "function", "function": {"name": "f"}}
    upstream.assistants[0]["tools"] = [{"type": "code_interpreter"}, {"type": "file_search"}, function]
    settings: dict[str, Any] = {"capabilities": ("tools", "retrieval"), "retrieval_models": ("other",)}
    await ask(provider(upstream), upstream.endpoint(**settings))
    assert upstream.bodies("/runs")[0]["tools"] == [function]
