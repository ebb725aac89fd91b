"""The documents of a chat: picked, uploaded in pieces, followed until they are ready, and taken out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.errors import InvalidRequest, RequestTooLarge, UnknownName
from agentbench.notebook.chat import documents
from agentbench.notebook.chat.documents import LARGEST, ChatDocuments
from agentbench.retrieval.values import Progress
from agentbench.runner.documents import Document
from agentbench.storage.files import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIRDS = Document(kind="collection", id="coll_1", name="birds")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


class FakeLibrary:
    """Takes any file; how far each is, a test says."""

    def __init__(self) -> None:
        self.added: dict[str, bytes] = {}
        self.steps: dict[str, Progress] = {}
        self.retried: list[str] = []
        self.error: Exception | None = None

    def add(self, name: str, data: bytes) -> StoredFile:
        """Keep a file, which begins to wait."""
        if self.error is not None:
            raise self.error
        self.added[name] = data
        told: dict[str, Any] = {"content_type": "", "size": len(data), "digest": "", "status": "pending"}
        return StoredFile(id=f"file-{name}", user="kernel", name=name, created_at=NOW, updated_at=NOW, **told)

    def documents(self, named: str) -> tuple[Document, ...]:
        """Return the collection, or the file of that id."""
        if named == "coll_1":
            return (BIRDS,)
        return (Document(kind="file", id=named, name=named.removeprefix("file-")),)

    def progress(self, file_id: str) -> Progress:
        """Return what the test said."""
        return self.steps.get(file_id, Progress(file=file_id, step="waiting"))

    def retry(self, file_id: str) -> None:
        """Note it."""
        self.retried.append(file_id)

    def says(self, file_id: str, step: Any, **fields: Any) -> None:
        """Say how far a file is."""
        self.steps[file_id] = Progress(file=file_id, step=step, **fields)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    """Give a library that is looked at often."""
    monkeypatch.setattr(documents, "_LOOK_S", 0.01)
    return FakeLibrary()


@pytest.fixture
def shown() -> list[list[dict[str, Any]]]:
    """Give what was shown, the newest last."""
    return []


@pytest.fixture
def held(library: FakeLibrary, shown: list[list[dict[str, Any]]]) -> Iterator[ChatDocuments]:
    """Give the documents of a chat."""
    held = ChatDocuments(lambda: library, shown.append)  # type: ignore[arg-type, return-value]  # it is a fake
    yield held
    held.close()


def until(condition: Callable[[], Any]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def chip(held: ChatDocuments, place: int = 0) -> dict[str, Any]:
    """Return a document as views see it."""
    return held.plain()[place]


def upload(held: ChatDocuments, name: str = "a.md", data: bytes = b"abcdef") -> None:
    """Upload a file in two pieces, with its name as key."""
    held.begin(name, name, len(data))
    assert held.take(name, 0, [data[:3]]) == 3
    assert held.take(name, 3, [data[3:]]) == len(data)


def test_an_upload_becomes_a_document(held: ChatDocuments, library: FakeLibrary) -> None:
    """Its pieces make the file; it waits, is read and embedded, and is ready."""
    upload(held)
    until(lambda: chip(held)["state"] == "waiting")
    assert library.added == {"a.md": b"abcdef"}
    library.says("file-a.md", "extracting")
    until(lambda: chip(held)["state"] == "reading")
    library.says("file-a.md", "embedding", done=12, total=40)
    until(lambda: (chip(held)["done"], chip(held)["total"]) == (12, 40))
    library.says("file-a.md", "completed", done=40, total=40)
    until(lambda: chip(held)["state"] == "ready")
    assert [each.id for each in held.chosen()] == ["file-a.md"]


def test_views_are_told(held: ChatDocuments, shown: list[list[dict[str, Any]]], library: FakeLibrary) -> None:
    """Each change is shown; once all are ready nobody looks any more."""
    library.says("file-a.md", "completed")
    upload(held)
    until(lambda: shown[-1][0]["state"] == "ready")
    assert shown[0][0] == {
        "key": "a.md",
        "kind": "file",
        "id": "",
        "name": "a.md",
        "state": "uploading",
        "done": 0,
        "total": 6,
        "error": "",
        "retry": False,
    }
    until(lambda: held._watching is None)


@pytest.mark.parametrize(("size", "error"), [(LARGEST + 1, RequestTooLarge), (0, InvalidRequest)])
def test_what_does_not_go_is_refused_before_it_comes(
    held: ChatDocuments, size: int, error: type[InvalidRequest]
) -> None:
    """An empty file, and one that is too large, for which another way is named."""
    with pytest.raises(error) as caught:
        held.begin("k", "big.pdf", size)
    assert held.plain() == []
    assert (size == 0) or 'bench.collection("NAME").add("PATH")' in caught.value.message


def test_pieces_that_do_not_fit_are_refused(held: ChatDocuments) -> None:
    """One that is out of order, one too many, and one of a file that was removed."""
    held.begin("k", "a.md", 4)
    with pytest.raises(InvalidRequest, match="A piece of the file is missing"):
        held.take("k", 2, [b"cd"])
    with pytest.raises(InvalidRequest, match="The file grew"):
        held.take("k", 0, [b"abcdef"])
    held.remove("k")
    with pytest.raises(InvalidRequest, match="This file was removed"):
        held.take("k", 0, [b"ab"])


def test_an_upload_that_breaks_off_fails_and_may_go_on(
    held: ChatDocuments, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its page was loaded again; if it only was slow, it goes on where it was."""
    monkeypatch.setattr(documents, "_SILENCE_S", 0.02)
    held.begin("k", "a.md", 4)
    held.take("k", 0, [b"ab"])
    until(lambda: chip(held)["state"] == "failed")
    assert chip(held)["error"].startswith("The upload broke off.")
    held.take("k", 2, [b"cd"])
    until(lambda: library.added == {"a.md": b"abcd"})


def test_a_question_does_not_go_without_its_documents(held: ChatDocuments, library: FakeLibrary) -> None:
    """Neither with one that failed, nor with one that isn't here yet; without them it does."""
    held.put([BIRDS])
    held.begin("k", "a.md", 4)
    with pytest.raises(InvalidRequest, match=r"'a\.md' is still being uploaded"):
        held.chosen()
    library.says("file-a.md", "failed", error="It is damaged.")
    held.take("k", 0, [b"abcd"])
    until(lambda: chip(held, 1)["state"] == "failed")
    with pytest.raises(InvalidRequest, match=r"'a\.md' can't be used: It is damaged\. Or remove it"):
        held.chosen()
    held.remove("k")
    assert held.chosen() == (BIRDS,)


def test_a_failed_one_is_tried_again(held: ChatDocuments, library: FakeLibrary) -> None:
    """The library processes it once more, and it is followed."""
    library.says("file-a.md", "failed", error="The embedder is down.")
    upload(held)
    until(lambda: chip(held)["retry"])
    library.says("file-a.md", "completed")
    held.retry("a.md")
    until(lambda: chip(held)["state"] == "ready")
    assert library.retried == ["file-a.md"]
    with pytest.raises(UnknownName):
        held.retry("none")


def test_what_the_library_refuses_is_the_documents_error(held: ChatDocuments, library: FakeLibrary) -> None:
    """What nobody foresaw too; there is nothing to try again then."""
    library.error = InvalidRequest("It is no file.")
    upload(held, "a")
    until(lambda: chip(held)["error"] == "It is no file.")
    library.error = ZeroDivisionError()
    upload(held, "b")
    until(lambda: chip(held, 1)["error"].startswith("agentbench itself failed."))
    assert not chip(held)["retry"]


def test_picking(held: ChatDocuments, library: FakeLibrary) -> None:
    """A collection or file is in once, however often it is picked, and can be taken out."""
    library.says("file-a", "deleted")
    held.pick("collection", "coll_1", picked=True)
    held.pick("collection", "coll_1", picked=True)
    held.pick("file", "file-a", picked=True)
    until(lambda: chip(held, 1)["error"].startswith("It was deleted"))
    assert [(each["kind"], each["name"], each["state"]) for each in held.plain()] == [
        ("collection", "birds", "ready"),
        ("file", "a", "failed"),
    ]
    held.pick("collection", "coll_1", picked=False)
    assert [each["name"] for each in held.plain()] == ["a"]
    with pytest.raises(UnknownName):
        held.pick("file", "coll_1", picked=True)
    held.clear()
    assert held.plain() == []
