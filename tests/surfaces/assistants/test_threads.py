"""Threads and their messages through the openai SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from openai.types.beta import Thread
    from openai.types.beta.threads import Message

pytestmark = [
    pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"),
    pytest.mark.parametrize("client", ["in process"], indirect=True, scope="module"),
]
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def text_of(message: Message) -> str:
    """Return a message's texts."""
    return "".join(part.text.value for part in message.content if part.type == "text")


def test_a_thread(client: openai.OpenAI) -> None:
    """It is made, returned, changed and deleted."""
    made = client.beta.threads.create(metadata={"a": "b"})
    assert client.beta.threads.retrieve(made.id) == made
    changed = client.beta.threads.update(made.id, metadata={"c": "d"})
    assert (changed.id, changed.metadata) == (made.id, {"c": "d"})
    gone = client.beta.threads.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "thread.deleted", True)
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.retrieve(made.id)


def test_first_messages(client: openai.OpenAI) -> None:
    """A thread may begin with messages of both sides, with pictures among the text."""
    parts: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    thread = client.beta.threads.create(
        messages=[
            {"role": "user", "content": parts, "metadata": {"n": "1"}},
            {"role": "assistant", "content": "A dog."},
        ]
    )
    asked, told = client.beta.threads.messages.list(thread.id, order="asc").data
    assert [part.type for part in asked.content] == ["text", "image_url"]
    assert (asked.role, asked.metadata, told.role, text_of(told)) == ("user", {"n": "1"}, "assistant", "A dog.")


def test_a_message(client: openai.OpenAI, thread: Thread) -> None:
    """It is added, returned, changed and deleted."""
    messages = client.beta.threads.messages
    made = messages.create(thread.id, role="user", content="한국어 🙂", metadata={"a": "b"})
    assert (made.object, text_of(made), made.thread_id) == ("thread.message", "한국어 🙂", thread.id)
    assert messages.retrieve(made.id, thread_id=thread.id) == made
    changed = messages.update(made.id, thread_id=thread.id, metadata={"c": "d"})
    assert (text_of(changed), changed.metadata) == (text_of(made), {"c": "d"})
    gone = messages.delete(made.id, thread_id=thread.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "thread.message.deleted", True)
    assert [text_of(each) for each in messages.list(thread.id)] == ["Hi"]


def test_pages(client: openai.OpenAI, thread: Thread) -> None:
    """The newest comes first; the SDK goes from page to page."""
    for number in range(4):
        client.beta.threads.messages.create(thread.id, role="user", content=str(number))
    page = client.beta.threads.messages.list(thread.id, limit=2)
    assert ([text_of(each) for each in page.data], page.has_more) == (["3", "2"], True)
    assert [text_of(each) for each in page] == ["3", "2", "1", "0", "Hi"]
    assert [text_of(each) for each in client.beta.threads.messages.list(thread.id, limit=3, order="asc")] == [
        "Hi",
        *map(str, range(4)),
    ]


def test_of_one_run(client: openai.OpenAI, thread: Thread) -> None:
    """The list may be of one run's messages."""
    assert client.beta.threads.messages.list(thread.id, run_id="run_nobody").data == []


def test_a_message_of_another_thread(client: openai.OpenAI, thread: Thread) -> None:
    """A message is found only in its own thread."""
    other = client.beta.threads.create()
    (message,) = client.beta.threads.messages.list(thread.id).data
    with pytest.raises(openai.NotFoundError, match=message.id):
        client.beta.threads.messages.retrieve(message.id, thread_id=other.id)
