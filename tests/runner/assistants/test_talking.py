"""Threads and messages: whose they are, and what may be said when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.assistants.desks import Desk
from tests.runner.assistants.settled import ANN, BOB, ROOT, settle

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.content import (
    ImageFile,
    ImageFilePart,
    ImageUrl,
    ImageUrlPart,
    TextPart,
    TextValue,
)
from agentbench.protocol.assistants.objects import Attachment
from agentbench.protocol.assistants.requests import (
    ChangeMetadata,
    ChangeThread,
    CreateMessage,
    CreateThread,
    PlainText,
)
from agentbench.protocol.assistants.tools import (
    CodeInterpreter,
    CodeResources,
    FileSearch,
    FunctionSpec,
    FunctionTool,
    ToolResources,
)
from agentbench.storage import conversations
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Thread
    from agentbench.runner import Runner
    from agentbench.storage.threads import StoredThread

pytestmark = pytest.mark.anyio
SEARCH = (FileSearch(),)
PICTURE = ImageUrlPart(image_url=ImageUrl(url="https://pictures.example/a.png"))
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def desk(runner: Runner) -> Desk:
    """Give a desk."""
    return Desk(runner)


def message(content: Any = "Hi.", **values: Any) -> CreateMessage:
    """Return a message."""
    return CreateMessage(role="user", content=content, **values)


def uses_of_thread(desk: Desk, who: Principal, thread_id: str) -> list[Awaitable[Any]]:
    """Return every way to use a thread."""
    return [
        desk.thread(who, thread_id),
        desk.change_thread(who, thread_id, ChangeThread()),
        desk.delete_thread(who, thread_id),
        desk.add_message(who, thread_id, message()),
        desk.messages(who, thread_id, Page()),
    ]


def uses_of_message(desk: Desk, who: Principal, thread_id: str, message_id: str) -> list[Awaitable[Any]]:
    """Return every way to use a message."""
    return [
        desk.message(who, thread_id, message_id),
        desk.change_message(who, thread_id, message_id, ChangeMetadata()),
        desk.delete_message(who, thread_id, message_id),
    ]


async def texts(desk: Desk, thread: Thread) -> list[str]:
    """Return what was said, oldest first."""
    found = await desk.messages(ANN, thread.id, Page(order="asc"))
    return [each.content[0].text.value for each in found.data]


async def test_a_thread_with_messages(desk: Desk) -> None:
    """It keeps its first messages in their order, and has a conversation that bears its id."""
    thread = await desk.opened("one", "two", metadata={"a": "b"})
    assert thread.id.startswith("thread_")
    assert (thread.metadata, await texts(desk, thread)) == ({"a": "b"}, ["one", "two"])
    assert await desk.thread(ANN, thread.id) == thread
    talk = await desk._database.read(lambda connection: conversations.get(connection, thread.id, "ann"))
    assert talk is not None


async def test_a_message(desk: Desk) -> None:
    """Text and pictures are kept part by part; it is the thread's newest, and can be returned, changed and deleted."""
    thread = await desk.opened("one")
    body = message((PlainText(text="See:"), PICTURE), metadata={"a": "b"})
    made = await desk.add_message(ANN, thread.id, body)
    assert made.id.startswith("msg_")
    assert made.content == (TextPart(text=TextValue(value="See:")), PICTURE)
    assert (made.role, made.thread_id, made.metadata, made.run_id, made.attachments) == (
        "user",
        thread.id,
        {"a": "b"},
        None,
        (),
    )
    assert (await desk.messages(ANN, thread.id, Page(limit=1))).data == (made,)
    changed = await desk.change_message(ANN, thread.id, made.id, ChangeMetadata(metadata=None))
    assert changed.metadata == {}
    assert await desk.message(ANN, thread.id, made.id) == changed
    await desk.delete_message(ANN, thread.id, made.id)
    assert await texts(desk, thread) == ["one"]


async def test_what_the_assistant_is_said_to_have_said(desk: Desk) -> None:
    """A client may write both sides of the past."""
    thread = await desk.opened("one")
    made = await desk.add_message(ANN, thread.id, CreateMessage(role="assistant", content="two"))
    assert (made.role, made.assistant_id, await texts(desk, thread)) == ("assistant", None, ["one", "two"])


async def test_only_the_owner(desk: Desk) -> None:
    """To everybody else, administrators and the kernel included, a thread isn't there."""
    thread = await desk.opened("one")
    said = (await desk.messages(ANN, thread.id, Page())).data[0]
    for who in (BOB, ROOT, KERNEL):
        for refused in uses_of_thread(desk, who, thread.id) + uses_of_message(desk, who, thread.id, said.id):
            with pytest.raises(UnknownName, match=f"There is no thread '{thread.id}'"):
                await refused
    assert await texts(desk, thread) == ["one"]


@pytest.mark.parametrize("gone", ["thread_gone", "", "a\0b"])
async def test_what_isnt_there(desk: Desk, gone: str) -> None:
    """An unknown thread or message is not found, nor is a message of another thread."""
    for refused in uses_of_thread(desk, ANN, gone) + uses_of_message(desk, ANN, gone, "msg_1"):
        with pytest.raises(UnknownName, match="no thread"):
            await refused
    thread, other = await desk.opened("one"), await desk.opened("two")
    elsewhere = (await desk.messages(ANN, other.id, Page())).data[0].id
    for unknown in (gone, elsewhere):
        for refused in uses_of_message(desk, ANN, thread.id, unknown):
            with pytest.raises(UnknownName, match="no message"):
                await refused


async def test_a_changed_thread(desk: Desk) -> None:
    """What a change doesn't name stays, and null clears it."""
    store = {"file_search": {"vector_stores": [{}]}}
    thread = await desk.opened(metadata={"a": "b"}, tool_resources=store)
    assert await desk.change_thread(ANN, thread.id, ChangeThread()) == thread
    changed = await desk.change_thread(ANN, thread.id, ChangeThread(metadata={"c": "d"}))
    assert (changed.metadata, changed.tool_resources) == ({"c": "d"}, thread.tool_resources)
    cleared = await desk.change_thread(ANN, thread.id, ChangeThread(metadata=None, tool_resources=None))
    assert (cleared.metadata, cleared.tool_resources) == ({}, None)


async def test_a_thread_at_work(desk: Desk) -> None:
    """While a run is active nothing is added and the thread isn't deleted; reading and changing go on."""
    thread = await desk.opened("one")
    await desk.begin(thread.id)
    refusal = rf"^Can't add messages to {thread.id} while a run run_1 is active\.$"
    with pytest.raises(InvalidRequest, match=refusal):
        await desk.add_message(ANN, thread.id, message("two"))
    with pytest.raises(InvalidRequest, match=r"is active\. Cancel it first\.$"):
        await desk.delete_thread(ANN, thread.id)
    assert (await desk.change_thread(ANN, thread.id, ChangeThread(metadata={"a": "b"}))).metadata == {"a": "b"}
    assert await texts(desk, thread) == ["one"]


async def test_a_run_that_begins_in_between(runner: Runner) -> None:
    """A message whose files took their time to be attached isn't added to a thread at work."""

    class SlowDesk(Desk):
        async def written(self, principal: Principal, stored: StoredThread, *args: Any) -> Any:
            written = await super().written(principal, stored, *args)
            await self.begin(stored.thread.id)
            return written

    thread = await Desk(runner).opened("one")
    with pytest.raises(InvalidRequest, match="while a run run_1 is active"):
        await SlowDesk(runner).add_message(ANN, thread.id, message("two"))
    assert await texts(Desk(runner), thread) == ["one"]


async def test_a_thread_whose_run_is_lost(desk: Desk) -> None:
    """A run that nobody works on any more keeps nobody from adding and deleting."""
    thread = await desk.opened("one")
    await desk.begin(thread.id)
    desk.lost = True
    await desk.add_message(ANN, thread.id, message("two"))
    assert await texts(desk, thread) == ["one", "two"]
    await desk.delete_thread(ANN, thread.id)
    assert desk.settled == [thread.id, thread.id]
    with pytest.raises(UnknownName):
        await desk.thread(ANN, thread.id)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (message(""), "content"),
        (message(" \n"), "content"),
        (message(()), "content"),
        (message((PlainText(text="a"), PlainText(text=""))), "content[1]"),
        (message("a" * 256_001), "content"),
        (message((ImageUrlPart(image_url=ImageUrl(url="file:///etc/passwd")),)), "content[0].image_url.url"),
        (message(metadata={"k" * 65: ""}), "metadata"),
        (message(attachments=(Attachment(tools=SEARCH),)), "attachments[0].file_id"),
        (message(attachments=(Attachment(file_id="file_1"),)), "attachments[0].tools"),
        (
            message(attachments=(Attachment(file_id="f", tools=(FunctionTool(function=FunctionSpec(name="f")),)),)),
            "attachments[0].tools[0]",
        ),
        (message(attachments=(Attachment(file_id="f", tools=(CodeInterpreter(),)),)), "attachments[0].tools[0]"),
    ],
)
async def test_messages_that_are_refused(desk: Desk, body: CreateMessage, param: str) -> None:
    """A message without content, or with what nobody can use, is refused by where that stands; nothing is stored."""
    thread = await desk.opened()
    with pytest.raises(InvalidRequest) as caught:
        await desk.add_message(ANN, thread.id, body)
    assert caught.value.param == param
    with pytest.raises(InvalidRequest) as caught:
        await desk.create_thread(ANN, CreateThread(messages=(message(), body)))
    assert caught.value.param == f"messages[1].{param}"
    assert await texts(desk, thread) == []


async def test_pictures_need_a_capability(runner: Runner, desk: Desk) -> None:
    """Without image_vision no message may show one, be it by its address or by its file."""
    thread = await desk.opened()
    settle(runner, capabilities=("retrieval", "tools"))
    for part in (PICTURE, ImageFilePart(image_file=ImageFile(file_id="file_1"))):
        with pytest.raises(InvalidRequest, match="capabilities leaves image_vision out"):
            await desk.add_message(ANN, thread.id, message((part,)))


async def test_pictures_from_files(desk: Desk) -> None:
    """A picture is one's own file, and really a picture."""
    thread = await desk.opened()
    mine = (await desk.upload(ANN, "a.png", PIXEL, purpose="vision")).id
    text = (await desk.upload(ANN, "a.txt", b"text", purpose="vision")).id
    theirs = (await desk.upload(BOB, "a.png", PIXEL, purpose="vision")).id
    parts = {each: (ImageFilePart(image_file=ImageFile(file_id=each)),) for each in (mine, text, theirs)}
    assert (await desk.add_message(ANN, thread.id, message(parts[mine]))).content == parts[mine]
    with pytest.raises(InvalidRequest, match=r"'a\.txt' is no picture"):
        await desk.add_message(ANN, thread.id, message(parts[text]))
    with pytest.raises(UnknownName, match="no file"):
        await desk.add_message(ANN, thread.id, message(parts[theirs]))


async def test_attached_files(runner: Runner, desk: Desk) -> None:
    """They become the thread's resources, those of messages at once too; others' files are unknown."""
    settle(runner, code_interpreter=True)
    files = [(await desk.upload(ANN, f"{each}.csv", b"a,b", purpose="assistants")).id for each in "abcd"]
    bodies = [message(attachments=(Attachment(file_id=each, tools=(CodeInterpreter(),)),)) for each in files]
    thread = await desk.create_thread(ANN, CreateThread(messages=(bodies[0],)))
    assert thread.tool_resources == ToolResources(code_interpreter=CodeResources(file_ids=(files[0],)))
    made = await asyncio.gather(*(desk.add_message(ANN, thread.id, each) for each in bodies[1:]))
    assert [each.attachments for each in made] == [each.attachments for each in bodies[1:]]
    resources = (await desk.thread(ANN, thread.id)).tool_resources
    assert resources is not None
    assert resources.code_interpreter is not None
    assert sorted(resources.code_interpreter.file_ids) == sorted(files)
    with pytest.raises(UnknownName, match="no file"):
        await desk.create_thread(BOB, CreateThread(messages=(bodies[0],)))


async def test_attached_files_of_two_processes(runner: Runner) -> None:
    """Files of messages that two processes add at once are all there; each has locks of its own."""
    settle(runner, code_interpreter=True)
    desks = Desk(runner), Desk(runner)
    files = [(await desks[0].upload(ANN, f"{each}.csv", b"a,b", purpose="assistants")).id for each in "abcdef"]
    bodies = [message(attachments=(Attachment(file_id=each, tools=(CodeInterpreter(),)),)) for each in files]
    thread = await desks[0].opened()
    await asyncio.gather(*(desks[n % 2].add_message(ANN, thread.id, each) for n, each in enumerate(bodies)))
    resources = (await desks[0].thread(ANN, thread.id)).tool_resources
    assert resources is not None
    assert resources.code_interpreter is not None
    assert sorted(resources.code_interpreter.file_ids) == sorted(files)
