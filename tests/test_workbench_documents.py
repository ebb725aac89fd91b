"""The workbench and documents: files by name, by path and by agent, with the library as it is."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from tests.grammar import check_grammar
from tests.retrieval.shelves import WordEmbedder

from agentbench import Workbench
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol import Event
from agentbench.protocol.grammar.chat import check_chat
from agentbench.protocol.items import FunctionCallOutput, Message
from agentbench.runner.documents import FILE_SEARCH, Document
from agentbench.storage.grants import Reader
from agentbench.surfaces import AGENTS_API
from agentbench.surfaces.receipts import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.protocol import Response

ME = Reader("kernel")
CONFIG: dict[str, Any] = {
    "endpoints": {"scripted": {"models": {"m": {"turns": [[{"text": "It dives fast [1], it says [1, 9]."}]]}}}},
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "m"},
        {"id": "guide", "endpoint": "scripted", "model": "m", "collections": ["birds"]},
    ],
}
ANSWERS = {"How fast does a falcon fly?": "falcon.md", "김치는 어떻게 만드나요?": "김치.txt"}
PAGE = b"<html><title>All about falcons</title><body><p>A falcon dives at 390 km/h.</p></body></html>"
FALCON = "# Falcons\n\nThe peregrine falcon dives at 390 km/h."


class Page(BaseHTTPRequestHandler):
    """Serves one page."""

    def do_GET(self) -> None:
        """Send the page."""
        found = self.path == "/falcons"
        self.send_response(200 if found else 404)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE if found else b"")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """Give a workbench that embeds quickly."""
    with Workbench(CONFIG) as bench:
        library, embeddings = bench._runner.library, bench._runner.embeddings
        embedder = WordEmbedder()
        for part in (library, library._processing):
            part._embedder = lambda _: embedder
        monkeypatch.setattr(embeddings, "embedder", lambda **_: embedder)
        yield bench


@pytest.fixture
def falcon(tmp_path: Path) -> Path:
    """Give a file on disk."""
    path = tmp_path / "falcon.md"
    path.write_text(FALCON)
    return path


def files_of(bench: Workbench) -> list[str]:
    """Return the names of all files that are stored."""
    found, _ = bench._loop.portal.call(bench._runner.library.files, ME)
    return [each.name for each in found]


def collect(bench: Workbench, name: str, path: Path) -> str:
    """Make a collection of one file; return its id."""
    library, data = bench._runner.library, path.read_bytes()

    async def made() -> str:
        collection = await library.create(ME, name)
        file = await library.add(ME, path.name, data)
        await library.link(ME, collection.id, [file.id], wait=10)
        return collection.id

    return bench._loop.portal.call(made)


def passages_of(response: Response) -> list[dict[str, Any]]:
    """Return what was found for a response."""
    found = response.output[1]
    assert isinstance(found, FunctionCallOutput)
    passages: list[dict[str, Any]] = json.loads(str(found.output))["passages"]
    return passages


def cited(response: Response) -> list[tuple[str, str]]:
    """Return what an answer cites, and the words that do it."""
    message = response.output[-1]
    assert isinstance(message, Message)
    notes = [note for part in message.content for note in getattr(part, "annotations", ())]
    return [(note.title, message.text[note.start_index : note.end_index]) for note in notes]


def test_a_path(bench: Workbench, falcon: Path) -> None:
    """A file on disk is added, waited for and cited."""
    response = bench.ask("How fast does the falcon dive?", files=falcon)
    assert cited(response) == [("falcon.md, Falcons", "[1]"), ("falcon.md, Falcons", "1")]
    assert passages_of(response)[0]["text"] == FALCON


def test_the_same_file_again(bench: Workbench, falcon: Path) -> None:
    """The same bytes under the same name are the same file; other bytes are a new one, which counts from then on."""
    first, again = (passages_of(bench.ask("falcon?", files=named))[0] for named in (falcon, str(falcon)))
    assert first["file"] == again["file"]
    falcon.write_text("The falcon sleeps.")
    bench.ask("falcon?", files=[falcon])
    assert files_of(bench) == ["falcon.md", "falcon.md"]
    assert passages_of(bench.ask("falcon?", files="falcon.md"))[0]["text"] == "The falcon sleeps."


def test_names_and_ids(bench: Workbench, falcon: Path) -> None:
    """A collection and a file are found by name or id, whatever there is on disk."""
    collection = collect(bench, "birds", falcon)
    file = passages_of(bench.ask("falcon?", files="birds"))[0]["file"]
    falcon.unlink()
    stored = bench._loop.portal.call(bench._runner.library.collection, ME, "birds")
    named_so: list[Any] = [collection, file, "falcon.md", "FALCON.md", Document(kind="file", id=file)]
    for named in (*named_so, stored, bench.collection("birds")):
        assert passages_of(bench.ask("falcon?", files=named))[0]["file"] == file


def test_unknown_names(bench: Workbench, falcon: Path) -> None:
    """An error names the nearest collection or file."""
    collect(bench, "birds", falcon)
    with pytest.raises(UnknownName, match=r"no file or collection 'bird'\. Did you mean 'birds'"):
        bench.ask("falcon?", files="bird")
    with pytest.raises(UnknownName, match=r"Did you mean 'falcon\.md'"):
        bench.ask("falcon?", files=["birds", "falcn.md"])


def test_what_is_no_file(bench: Workbench, tmp_path: Path) -> None:
    """A folder and a missing file are told apart from names."""
    with pytest.raises(InvalidRequest, match="is a folder"):
        bench.ask("?", files=tmp_path)
    with pytest.raises(InvalidRequest, match=r"gone\.md can't be read: No such file"):
        bench.ask("?", files=tmp_path / "gone.md")
    with pytest.raises(InvalidRequest, match="type int names no file"):
        bench.ask("?", files=[3])  # type: ignore[list-item]
    with pytest.raises(UnknownName, match="no file or collection ''"):
        bench.ask("?", files="")


def test_a_file_that_cant_be_read(bench: Workbench, tmp_path: Path) -> None:
    """Its failure is the answer's error, with the reason; once it is mended, it is processed again."""
    path = tmp_path / "blank.md"
    path.write_text(" \n ")
    for _ in range(2):
        with pytest.raises(InvalidRequest, match=r"'blank\.md' could not be processed: There is no text"):
            bench.ask("falcon?", files=path)
    assert files_of(bench) == ["blank.md"]


def test_a_text(bench: Workbench) -> None:
    """A short text goes in whole, of a long one what fits the question; nothing is stored."""
    short = bench.ask("falcon?", files=Document(kind="text", content=FALCON, name="note"))
    long = "\n\n".join(["The cat sleeps all day. " * 30, FALCON, "The dog barks at night. " * 30] * 3)
    found = bench.ask("peregrine falcon?", files=Document(kind="text", content=long, name="note"))
    assert [each["text"] for each in passages_of(short)] == [FALCON]
    assert all(each["file"] is None for each in passages_of(found))
    assert "falcon" in passages_of(found)[0]["text"]
    assert len(passages_of(found)) <= 3
    assert files_of(bench) == []


def test_an_empty_text(bench: Workbench) -> None:
    """A text without content is an error."""
    with pytest.raises(InvalidRequest, match="is empty"):
        bench.ask("falcon?", files=Document(kind="text"))


@pytest.fixture
def page(bench: Workbench) -> Iterator[str]:
    """Serve a page on this machine, where that is allowed; give its address."""
    loose = msgspec.structs.replace(bench.catalog.retrieval, local_addresses=True)
    bench._use(msgspec.structs.replace(bench.catalog, retrieval=loose))
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/falcons"
        server.shutdown()
        thread.join()


def test_a_page(bench: Workbench, page: str) -> None:
    """A web page is fetched, read and cited under its own address; it isn't stored."""
    response = bench.ask("falcon?", files=page)
    (passage,) = passages_of(response)
    assert (passage["name"], passage["url"], passage["file"]) == ("All about falcons", page, None)
    assert "390 km/h" in passage["text"]
    assert [title for title, _ in cited(response)] == ["All about falcons"] * 2
    assert files_of(bench) == []


def test_a_page_that_isnt_there(bench: Workbench, page: str) -> None:
    """What can't be fetched is an error before the answer."""
    with pytest.raises(InvalidRequest, match="404"):
        bench.ask("falcon?", files=f"{page}/gone")


def test_a_page_of_this_machine(bench: Workbench) -> None:
    """Addresses that may not be fetched are refused."""
    with pytest.raises(InvalidRequest, match=r"127\.0\.0\.1"):
        bench.ask("falcon?", files="http://127.0.0.1:9/secret")


def test_a_quote(bench: Workbench, falcon: Path) -> None:
    """What a question would cost counts the passages that it would be asked with."""
    plain, resting = (bench.quote("falcon?", model="scripted/m", files=files) for files in ((), falcon))
    assert resting[0].input_tokens > plain[0].input_tokens + len(FALCON) // 4


def test_the_next_question(bench: Workbench, falcon: Path) -> None:
    """A conversation goes on without the documents, unless they are named again."""
    conversation = bench.start_conversation()
    bench.ask("falcon?", files=falcon, conversation=conversation)
    after = bench.ask("And?", conversation=conversation)
    assert [type(item).__name__ for item in after.output] == ["Message"]
    assert [item.text for turn in bench.turns(conversation) for item in turn.input] == ["falcon?", "And?"]  # type: ignore[union-attr]


# -- clients ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def http(bench: Workbench, falcon: Path) -> Iterator[httpx2.Client]:
    """Give a client of a gateway whose agent has a collection."""
    collect(bench, "birds", falcon)
    with httpx2.Client(transport=bench.transport(), base_url=f"http://bench{AGENTS_API}/") as client:
        yield client


@pytest.mark.usefixtures("http")
def test_chat_completions(bench: Workbench) -> None:
    """A chat client sees an answer that cites, and no tool."""
    messages: Any = [{"role": "user", "content": "How fast is the falcon?"}]
    whole = bench.openai().chat.completions.create(model="guide", messages=messages).choices[0]
    assert (whole.finish_reason, whole.message.tool_calls) == ("stop", None)
    notes = [note.url_citation for note in whole.message.annotations or ()]
    assert [(note.title, note.start_index, note.end_index) for note in notes] == [
        ("falcon.md, Falcons", 14, 17),
        ("falcon.md, Falcons", 28, 29),
    ]


@pytest.mark.usefixtures("http")
def test_a_chat_stream(bench: Workbench) -> None:
    """The citations come before the end, in a delta that strict clients accept."""
    messages: Any = [{"role": "user", "content": "How fast is the falcon?"}]
    chunks = list(bench.openai().chat.completions.create(model="guide", messages=messages, stream=True))
    noted = [chunk.choices[0].delta.model_extra for chunk in chunks]
    assert [len(extra["annotations"]) for extra in noted if extra] == [2]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    assert check_chat([*(chunk.model_dump(exclude_unset=True) for chunk in chunks), "[DONE]"]) == ()


@pytest.mark.parametrize(("headers", "shown"), [({}, []), ({HEADER: "include"}, [FILE_SEARCH])])
def test_responses(http: httpx2.Client, headers: dict[str, str], shown: list[str]) -> None:
    """A Responses client sees the search only if it asks for receipts, now and when it is stored."""
    body = {"model": "guide", "input": "How fast is the falcon?"}
    made = http.post("responses", json=body, headers=headers).json()
    found = http.get(f"responses/{made['id']}", headers=headers).json()
    for response in (made, found):
        assert [item["name"] for item in response["output"] if item["type"] == "function_call"] == shown
        assert len(response["output"][-1]["content"][0]["annotations"]) == 2


@pytest.mark.parametrize("headers", [{}, {HEADER: "include"}])
def test_a_responses_stream(http: httpx2.Client, headers: dict[str, str]) -> None:
    """The stream obeys the grammar with the search and without it."""
    body = {"model": "guide", "input": "How fast is the falcon?", "stream": True}
    text = http.post("responses", json=body, headers=headers).text
    frames = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    events = msgspec.convert([json.loads(frame) for frame in frames], list[Event])
    check_grammar(events)
    assert (FILE_SEARCH in text) == bool(headers)


def test_a_collection_that_is_gone(bench: Workbench, http: httpx2.Client) -> None:
    """An agent without its collection answers nobody, and says why."""
    bench._loop.portal.call(bench._runner.library.delete_collection, ME, "birds")
    refused = http.post("responses", json={"model": "guide", "input": "Hi"})
    assert (refused.status_code, refused.json()["error"]["message"]) == (404, "There is no collection 'birds'.")


# -- the real embedder ----------------------------------------------------------------------------------------------


def test_english_and_korean(tmp_path: Path) -> None:
    """With the embedder of the kernel, questions find what answers them, whatever the files' encoding."""
    (tmp_path / "falcon.md").write_text("The peregrine falcon is the fastest animal: it dives at 390 km/h.")
    (tmp_path / "김치.txt").write_bytes("김치는 배추를 소금에 절여 고춧가루와 젓갈로 버무려 만든다.".encode("cp949"))
    (tmp_path / "tax.md").write_text("The invoice is due within thirty days of its date.")
    with Workbench(CONFIG) as bench:
        paths = sorted(tmp_path.glob("*.*"))
        for question, name in ANSWERS.items():
            response = bench.ask(question, files=paths)
            best = max(passages_of(response), key=lambda passage: passage["similarity"])
            assert (best["name"], len(passages_of(response))) == (name, 3)
