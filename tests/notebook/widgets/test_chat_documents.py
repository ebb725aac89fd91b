"""Documents in the chat widget, with the library as it is: uploaded, picked, cited, and kept by retry and edit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.chat.fake_views import threads
from tests.notebook.widgets.views import View
from tests.retrieval.shelves import WordEmbedder

from agentbench import Workbench
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentbench.notebook.widgets.chat import ChatWidget

    OpenChat = Callable[..., tuple[ChatWidget, View]]

SAID = [{"text": "It dives fast [1]."}]
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {"models": {"m": {"turns": [SAID] * 6}}, "titleConvo": False},
        "custom": [{"name": "gone", "baseURL": "http://127.0.0.1:9/v1", "models": {"default": ["m"]}}],
    },
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "m"},
        {"id": "guide", "endpoint": "scripted", "model": "m", "collections": ["birds"]},
    ],
}
FALCON = "# Falcons\n\nThe peregrine falcon dives at 390 km/h.\n"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench that embeds quickly, with a collection."""
    with Workbench(CONFIG) as bench:
        library, embedder = bench._runner.library, WordEmbedder()
        for part in (library, library._processing):
            part._embedder = lambda *_: embedder
        bench.collection("birds").add_text("falcon.md", FALCON, progress=False)
        yield bench


@pytest.fixture
def open_chat(bench: Workbench) -> Iterator[OpenChat]:
    """Give a way to open chats, each with a view, all of which are closed at the end."""
    opened: list[ChatWidget] = []

    def chat(*args: Any, **options: Any) -> tuple[ChatWidget, View]:
        opened.append(bench.chat(*args, **options))
        return opened[-1], View(opened[-1])

    yield chat
    for each in opened:
        each.close()
    assert threads() == []


def until(condition: Callable[[], Any]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def asked(chat: ChatWidget, view: View, op: str = "send", **args: Any) -> dict[str, Any]:
    """Ask something, and return its turn."""
    count = len(chat.turns) + (op == "send")
    view.ok(op, **args)
    until(lambda: not chat.running and len(chat.turns) == count)
    turn: dict[str, Any] = chat.turns[-1]
    return turn


def upload(view: View, name: str, data: bytes) -> None:
    """Upload a file in pieces of 100 bytes."""
    view.ok("upload", key=name, name=name, size=len(data))
    for at in range(0, len(data), 100):
        view.ask("piece", buffers=(data[at : at + 100],), key=name, at=at)


def names(chat: ChatWidget) -> list[tuple[str, str]]:
    """Return the documents' names and states."""
    return [(each["name"], each["state"]) for each in chat.documents]


def searched(turn: dict[str, Any]) -> str:
    """Return what a turn's search says."""
    line: str = turn["blocks"][0]["found"]["line"]
    return line.partition(" in ")[0]


def test_an_uploaded_file_is_answered_from(open_chat: OpenChat, bench: Workbench) -> None:
    """It goes in piece by piece, is ready, and the answer cites it; the same file again isn't stored twice."""
    chat, view = open_chat()
    data = ("# Ferry\n\n" + "The boat leaves at noon. " * 20).encode()
    upload(view, "../ferry.md", data)
    until(lambda: names(chat) == [("ferry.md", "ready")])
    turn = asked(chat, view, text="When does the boat leave?")
    assert searched(turn) == "Searched 1 passage of ferry.md"
    assert [block["kind"] for block in turn["blocks"]] == ["search", "text"]
    assert [(each["n"], each["title"], each["cited"]) for each in turn["sources"]] == [(1, "ferry.md · Ferry", True)]
    upload(view, "ferry.md", data)
    until(lambda: len(chat.documents) == 2 and chat.documents[1]["state"] == "ready")
    assert sorted(bench.files()["name"]) == ["falcon.md", "ferry.md"]


def test_what_fails_keeps_the_question_back(open_chat: OpenChat) -> None:
    """It says why, until the document is removed; a question from Python is kept back as well."""
    chat, view = open_chat()
    upload(view, "broken.pdf", b"%PDF-1.4 nothing")
    until(lambda: names(chat) == [("broken.pdf", "failed")])
    assert view.ask("send", text="Hm?")["error"]["message"].startswith("'broken.pdf' can't be used: ")
    with pytest.raises(InvalidRequest, match="can't be used"):
        chat.ask("Hm?")
    view.ok("reprocess", key="broken.pdf")
    view.ok("unpick", key="broken.pdf")
    assert asked(chat, view, text="Hm?")["status"] == "completed"


def test_what_is_picked_stays_for_the_conversation(open_chat: OpenChat) -> None:
    """A collection that was ticked is searched for each question; a new conversation begins without."""
    chat, view = open_chat()
    [collection] = view.ok("library")["collections"]
    assert (collection["name"], collection["files"]) == ("birds", 1)
    assert [each["name"] for each in view.ok("library")["files"]] == ["falcon.md"]
    view.ok("pick", kind="collection", name=collection["id"], picked=True)
    for question in ("How fast?", "And how fast again?"):
        assert searched(asked(chat, view, text=question)) == "Searched 1 passage of birds"
    view.ok("fresh")
    assert chat.documents == []


def test_retry_and_edit_keep_the_documents(open_chat: OpenChat) -> None:
    """Those that the turn had, whatever is ticked by then."""
    chat, view = open_chat(files="birds")
    first = asked(chat, view, text="How fast?")
    view.ok("unpick", key=chat.documents[0]["key"])
    again = asked(chat, view, "retry", turn=first["id"])
    changed = asked(chat, view, "edit", turn=again["id"], text="How fast is it?")
    assert [searched(each) for each in (again, changed)] == ["Searched 1 passage of birds"] * 2


def test_a_question_about_what_is_gone(open_chat: OpenChat, bench: Workbench) -> None:
    """It isn't asked again without it; a conversation about it can be opened."""
    chat, view = open_chat(files="birds")
    turn = asked(chat, view, text="How fast?")
    bench.collection("birds").delete()
    for op, more in (("retry", {}), ("edit", {"text": "And now?"})):
        assert "isn't there any more" in view.ask(op, turn=turn["id"], **more)["error"]["message"]
    assert open_chat(conversation=chat.conversation)[0].documents == []


def test_a_turn_that_nobody_answered_keeps_its_documents_too(open_chat: OpenChat) -> None:
    """No search says what they were."""
    chat, view = open_chat(model="gone/m", files="birds")
    failed = asked(chat, view, text="How fast?")
    assert (failed["status"], failed["blocks"]) == ("failed", [])
    view.ok("unpick", key=chat.documents[0]["key"])
    view.ok("use", model="scripted/m")
    assert searched(asked(chat, view, "retry", turn=failed["id"])) == "Searched 1 passage of birds"


def test_a_conversation_that_is_opened_again_has_its_documents(open_chat: OpenChat) -> None:
    """Those of its newest turn; a collection that its agent brings isn't picked besides."""
    chat, view = open_chat(files="birds")
    asked(chat, view, text="How fast?")
    again, _ = open_chat(conversation=chat.conversation)
    assert names(again) == [("birds", "ready")]
    guided, view = open_chat("guide")
    assert searched(asked(guided, view, text="How fast?")) == "Searched 1 passage of birds"
    assert open_chat("guide", conversation=guided.conversation)[0].documents == []


def test_a_passage_in_its_place(open_chat: OpenChat, bench: Workbench) -> None:
    """It comes with what is around it, as long as its file is as it was; an unknown one is an error."""
    chat, view = open_chat(files="birds")
    turn = asked(chat, view, text="How fast?")
    found = view.ok("passage", turn=turn["id"], number=1)
    assert (found["before"] + found["text"] + found["after"]).strip() == FALCON.strip()
    assert found["note"] == ""
    bench.delete_file("falcon.md")
    assert view.ok("passage", turn=turn["id"], number=1)["note"].startswith("The file has changed since")
    assert view.ask("passage", turn=turn["id"], number=9)["error"]["message"].startswith("There is no passage '9'")


def test_pages_bound_what_is_around(bench: Workbench, tmp_path: Path) -> None:
    """Of a file with pages, only the passage's page is shown."""
    from agentbench.storage import file_texts

    [row] = bench.files().to_dict("records")
    text = file_texts.FileText(text="First page. Second page. Third page.", pages=(0, 12, 25))
    bench._write(lambda connection: file_texts.replace(connection, row["id"], text))
    found = bench.library_view.surroundings(row["id"], 19, 23, "page")
    assert found == ("Second ", "page", ". ")


def test_the_view_opens_with_files(open_chat: OpenChat, tmp_path: Path) -> None:
    """Named as everywhere: a collection, a path, which is added; a name that there isn't is an error."""
    path = tmp_path / "note.md"
    path.write_text("Noon.")
    chat, _ = open_chat(files=["birds", path])
    until(lambda: names(chat) == [("birds", "ready"), ("note.md", "ready")])
    with pytest.raises(UnknownName, match="no file or collection"):
        open_chat(files="nowhere")


def test_records_and_pages(open_chat: OpenChat) -> None:
    """The record and an exported page have the passages, and no JSON of the step; a page has no chips."""
    chat, view = open_chat(files="birds")
    asked(chat, view, text="How fast?")
    record = chat.record()
    assert [("390 km/h" in each, "file_search" in each) for each in record] == [(True, False)] * 3
    page = chat.exported()
    assert page["documents"] == []
    assert "390 km/h" in page["turns"][0]["blocks"][0]["found"]["passages"][0]["text"]
