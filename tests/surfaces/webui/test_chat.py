"""Open WebUI's chat: its own fields beside OpenAI's, documents, and their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import openai
import pytest
from tests.surfaces.webui.library_app import collection, searchable, upload

if TYPE_CHECKING:
    import httpx2
    from tests.runner.fakes import FakeProvider

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio
ASKED: dict[str, Any] = {"model": "bot", "messages": [{"role": "user", "content": "How fast are falcons?"}]}
CHAT = "/chat/completions"


@pytest.fixture
def provider(runner: Runner) -> FakeProvider:
    """Give the provider that answers."""
    made: Any = runner.providers
    return made.of(None)


@pytest.mark.parametrize("path", ["/api/chat/completions", "/api/v1/chat/completions", "/api/chat/completions/"])
async def test_plain(ann: httpx2.AsyncClient, path: str) -> None:
    """Without files it is OpenAI's chat, with no sources; the body needs no content type."""
    answer = await ann.post(f"http://127.0.0.1{path}", content=msgspec.json.encode(ASKED))
    body = answer.json()
    assert (answer.status_code, body["object"], "sources" in body) == (200, "chat.completion", False)
    assert body["choices"][0]["message"]["content"] == "one two three"


async def test_sources(ann: httpx2.AsyncClient) -> None:
    """What was looked into comes back item by item, as the client wrote it, with passages, places and similarities."""
    file = await searchable(ann, b"# Birds\n\nFalcons are fast.", "birds.md")
    item = {"type": "file", "id": file["id"], "mine": 1}
    text = {"type": "text", "name": "note", "content": "Owls are quiet."}
    answer = await ann.post(CHAT, json=ASKED | {"files": [item, item, text]})
    body = answer.json()
    assert next(iter(body)) == "sources", body
    first, second = body["sources"]
    assert (first["source"], second["source"]) == (item, text)
    assert "Falcons are fast." in first["document"][0]
    told = first["metadata"][0]
    assert (told["source"], told["name"], told["file_id"]) == ("birds.md", "birds.md", file["id"])
    assert (told["citation"], told["start_index"]) == (1, 0)
    assert len(first["distances"]) == len(first["document"])
    assert 0 < first["distances"][0] <= 1
    assert second == {
        "source": text,
        "document": ["Owls are quiet."],
        "metadata": [second["metadata"][0]],
    }


async def test_a_collection_as_a_whole(ann: httpx2.AsyncClient) -> None:
    """With the context `full` each file of it goes in whole, without similarities."""
    made = await collection(ann)
    for name in ("a.txt", "b.txt"):
        file = await searchable(ann, f"This is {name}.".encode(), name)
        added = await ann.post(f"/knowledge/{made}/file/add", json={"file_id": file["id"]})
        assert added.status_code == 200
    answer = await ann.post(CHAT, json=ASKED | {"files": [{"type": "collection", "id": made, "context": "full"}]})
    source = answer.json()["sources"][0]
    assert sorted(source["document"]) == ["This is a.txt.", "This is b.txt."]
    assert "distances" not in source


@pytest.mark.parametrize("legacy", [{"collection_name": "NAME"}, {"collection_names": ["NAME"], "type": "doc"}])
async def test_how_older_clients_name_a_file(ann: httpx2.AsyncClient, legacy: dict[str, Any]) -> None:
    """By the name of the collection that it is by itself."""
    file = await searchable(ann)
    item = msgspec.json.decode(msgspec.json.encode(legacy).replace(b"NAME", f"file-{file['id']}".encode()))
    answer = await ann.post(CHAT, json=ASKED | {"files": [item]})
    assert answer.json()["sources"][0]["metadata"][0]["file_id"] == file["id"]


async def test_a_stream(ann: httpx2.AsyncClient) -> None:
    """The strict openai SDK reads it: the first chunk has the sources and no choices."""
    file = await searchable(ann)
    client = openai.AsyncOpenAI(base_url="http://127.0.0.1/api", api_key="none", http_client=ann, max_retries=0)
    client._strict_response_validation = True
    extra = {"files": [{"type": "file", "id": file["id"]}]}
    stream = await client.chat.completions.create(**ASKED, stream=True, extra_body=extra)
    first, *rest = [chunk async for chunk in stream]
    assert (first.object, first.choices) == ("chat.completion.chunk", [])
    assert first.model_extra is not None
    assert first.model_extra["sources"][0]["metadata"][0]["file_id"] == file["id"]
    assert {chunk.id for chunk in rest} == {first.id}
    assert all("sources" not in (chunk.model_extra or {}) for chunk in rest)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in rest if chunk.choices) == "one two three"


async def test_a_stream_without_files(ann: httpx2.AsyncClient) -> None:
    """It is OpenAI's stream, with nothing before it."""
    lines = (await ann.post(CHAT, json=ASKED | {"stream": True})).text.split("\n\n")
    assert '"role":"assistant"' in lines[0]
    assert "sources" not in "".join(lines)


async def test_files_that_cannot_be_looked_into(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    """One that is missing, somebody else's, failed or never processed is an error, never left out in silence."""
    theirs = await searchable(bob)
    failed = await upload(ann, b"   ", "blank.txt", process_in_background=False)
    stored = await upload(ann, process=False)
    cases = [
        ({"type": "file", "id": "nope"}, 404),
        ({"type": "file", "id": theirs["id"]}, 404),
        ({"type": "collection", "id": "nope"}, 404),
        ({"type": "file", "id": failed["id"]}, 400),
        ({"type": "file", "id": stored["id"]}, 400),
    ]
    for stream in (False, True):
        answers = [await ann.post(CHAT, json=ASKED | {"files": [item], "stream": stream}) for item, _ in cases]
        assert [answer.status_code for answer in answers] == [status for _, status in cases]
        assert all(isinstance(answer.json()["detail"], str) for answer in answers)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ("x", ["body", "files"]),
        (["x"], ["body", "files", 0]),
        (list(range(101)), ["body", "files"]),
        ([{"type": "note", "id": "x"}], ["body", "files", 0, "type"]),
        ([{"id": "x"}], ["body", "files", 0, "type"]),
        ([{"type": "text", "content": "x"}, {"type": "file"}], ["body", "files", 1, "id"]),
        ([{"type": "url"}], ["body", "files", 0, "url"]),
    ],
)
async def test_items_that_are_no_documents(ann: httpx2.AsyncClient, files: Any, place: list[Any]) -> None:
    """They are refused by their place."""
    answer = await ann.post(CHAT, json=ASKED | {"files": files})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, place)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5"])
async def test_no_object(ann: httpx2.AsyncClient, body: bytes) -> None:
    """A body that is no JSON object is refused in the shape of a validation error."""
    answer = await ann.post(CHAT, content=body)
    detail = answer.json()["detail"]
    assert (answer.status_code, detail[0]["loc"], sorted(detail[0])) == (422, ["body"], ["input", "loc", "msg", "type"])


@pytest.mark.parametrize("model", [{}, {"model": "nobody"}, {"model": "fake/m"}, {"model": None}])
async def test_no_such_model(ann: httpx2.AsyncClient, model: dict[str, Any]) -> None:
    """A model that is missing, unknown or not the caller's to name gets the sentence that clients look for."""
    answer = await ann.post(CHAT, json={"messages": ASKED["messages"], **model})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Model not found"})


@pytest.mark.parametrize(
    "field",
    [
        {"tool_ids": ["x"]},
        {"features": {"web_search": True}},
        {"chat_id": "x", "id": "y", "session_id": "z"},
        {"session_id": "z", "parent_id": None},
        {"filter_ids": ["x"]},
        {"folder_id": "x"},
    ],
    ids=str,
)
async def test_what_cannot_be_done(ann: httpx2.AsyncClient, field: dict[str, Any]) -> None:
    """A field that would change the answer is refused by name."""
    answer = await ann.post(CHAT, json=ASKED | field)
    assert answer.status_code == 400
    assert any(word in answer.json()["detail"] for word in ("tools", "features.web_search", "Chats", "session", "fil"))


async def test_what_changes_nothing(ann: httpx2.AsyncClient, provider: FakeProvider) -> None:
    """The web interface's own fields are passed over; `params` are taken in, their `system` as the first message."""
    extras = {
        "tool_ids": [],
        "features": {"web_search": False},
        "variables": {"{{USER_NAME}}": "Ann"},
        "background_tasks": {"title_generation": True},
        "metadata": {"a": {"b": 1}},
        "session_id": "s",
        "id": "m",
        "params": {"temperature": 0.5, "function_calling": "native", "system": "Be brief."},
    }
    assert (await ann.post(CHAT, json=ASKED | extras)).status_code == 200
    sent = provider.requests[-1]
    assert sent.temperature == 0.5
    assert "Be brief." in str(sent.input[0])
