"""Uploads that can't be taken as they are: each gets a clear answer, and nothing half-done stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.surfaces.webui.library_app import As, collection, searchable, statuses, upload

from agentbench.auth.principal import Principal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2
    from starlette.types import ASGIApp, Message
    from tests.surfaces.webui.library_app import Person

pytestmark = pytest.mark.anyio

PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--b--\r\n'
BAD_FORMS = [
    ("multipart/form-data", PART),
    ("multipart/form-data; boundary=other", PART),
    ("multipart/form-data; boundary=b", PART[:30]),
    ("multipart/form-data; boundary=b", PART.replace(b"form-data; ", b"form-data; x").replace(b'name="', b'nom="')),
    ("multipart/form-data; boundary=b", PART.removesuffix(b"--b--\r\n") + PART),
]


async def refusal(http: httpx2.AsyncClient, **request: Any) -> tuple[int, Any]:
    """Send an upload; return the answer's status and detail, once it is sure that nothing was stored."""
    response = await http.post("/files/", **request)
    assert (await http.get("/files/count")).json() == 0
    return response.status_code, response.json()["detail"]


async def test_an_empty_file(ann: Person) -> None:
    """The answer is the one that clients look for."""
    status, detail = await refusal(ann, files={"file": ("a.txt", b"")})
    assert (status, "The content provided is empty." in detail) == (400, True)


@pytest.mark.parametrize("request_", [{"files": {"data": ("a.txt", b"text")}}, {"data": {"file": "text"}}, {}])
async def test_a_missing_part(ann: Person, request_: dict[str, Any]) -> None:
    """Without the part `file` the answer says so, in the shape of a validation error."""
    status, detail = await refusal(ann, **request_)
    assert (status, detail[0]["type"], detail[0]["loc"]) == (422, "missing", ["body", "file"])


@pytest.mark.parametrize("metadata", ["{", "[]", '"text"', "3"])
async def test_bad_metadata(ann: Person, metadata: str) -> None:
    """What isn't a JSON object is refused in the words that clients know."""
    status, detail = await refusal(ann, files={"file": ("a.txt", b"text")}, data={"metadata": metadata})
    assert (status, detail.startswith("[ERROR: Invalid metadata format]")) == (400, True)


@pytest.mark.parametrize("knowledge_id", ["missing", 3, "bob's"])
async def test_an_upload_for_a_collection_that_is_not_ones_own(
    ann: Person, bob: Person, knowledge_id: str | int
) -> None:
    """Nothing is stored."""
    theirs = await collection(bob)
    metadata = f'{{"knowledge_id": {knowledge_id if knowledge_id == 3 else chr(34) + theirs + chr(34)}}}'
    status, _ = await refusal(ann, files={"file": ("a.txt", b"text")}, data={"metadata": metadata})
    assert status in (400, 404)


@pytest.mark.parametrize(("content_type", "body"), BAD_FORMS)
async def test_a_bad_form(ann: Person, content_type: str, body: bytes) -> None:
    """A form that can't be read, or holds two files, is the client's mistake."""
    status, detail = await refusal(ann, content=body, headers={"content-type": content_type})
    assert (status in (400, 422), bool(detail)) == (True, True)


@pytest.mark.parametrize("query", ["process=maybe", "process_in_background=2"])
async def test_a_bad_query(ann: Person, query: str) -> None:
    """It is a validation error."""
    response = await ann.post(f"/files/?{query}", files={"file": ("a.txt", b"text")})
    assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["query", query.partition("=")[0]])


async def test_a_file_over_the_limit(ann: Person) -> None:
    """A file over the limit is refused after it was read; one far over it, before anything of it is kept."""
    for megabytes in (1.01, 3):
        data = b"x" * int(megabytes * 1024 * 1024)
        status, detail = await refusal(ann, files={"file": ("a.txt", data)})
        assert (status, "MB" in detail) == (413, True)


async def test_a_file_over_the_limit_of_unknown_length(ann: Person) -> None:
    """A body in chunks is counted as it comes."""

    async def body() -> AsyncIterator[bytes]:
        yield PART.partition(b"text")[0]
        for _ in range(4):
            yield b"x" * 1024 * 1024

    status, _ = await refusal(ann, content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert status == 413


async def test_an_upload_that_breaks_off(ann: Person, app: ASGIApp) -> None:
    """Nothing of it is kept."""
    messages: list[Message] = [
        {"type": "http.request", "body": PART[:70], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/files", "query_string": b"", "headers": headers}
    await As(app, Principal(user=ann.user, remote=True))(scope, receive, send)
    assert sent[0]["status"] == 499
    assert (await ann.get("/files/count")).json() == 0


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\x00b.txt", "ab.txt"),
        ("..", "file"),
        ("", "file"),
        ("x" * 1000 + ".txt", "x" * 196 + ".txt"),
    ],
)
async def test_names(ann: Person, sent: str, kept: str) -> None:
    """A name leads nowhere and holds nothing that isn't shown."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + sent.replace("\\", "\\\\").encode()
    response = await ann.post(
        "/files/?process=false",
        content=head + b'"\r\n\r\ntext\r\n--b--\r\n',
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert response.json()["filename"] == kept


async def test_a_wrong_type(ann: Person) -> None:
    """What a file is, its bytes say, not its sender."""
    response = await ann.post(
        "/files/?process_in_background=false", files={"file": ("a.txt", b"Falcons are fast.", "image/png")}
    )
    assert response.json()["meta"]["content_type"] == "text/plain"
    assert response.json()["data"]["content"] == "Falcons are fast."


async def test_two_uploads_at_once(ann: Person) -> None:
    """The same bytes at the same time make two files, each with passages of its own."""
    files: list[Any] = []

    async def one() -> None:
        files.append(await searchable(ann))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        group.start_soon(one)
    asked = [{"collection_name": f"file-{file['id']}", "query": "falcons", "k": 9} for file in files]
    found = [(await ann.post("/retrieval/query/doc", json=each)).json()["metadatas"][0] for each in asked]
    assert [[row["file_id"] for row in rows] for rows in found] == [[file["id"]] for file in files]


async def test_deleting_while_it_is_processed(ann: Person) -> None:
    """The file is gone at once, and the stream of its status says so."""
    text = "\n\n".join(f"Falcon {number} is fast." * 20 for number in range(500)).encode()
    file = await upload(ann, text)
    assert (await ann.delete(f"/files/{file['id']}")).status_code == 200
    assert (await ann.get(f"/files/{file['id']}/process/status")).status_code == 404
    assert (await ann.get("/files/count")).json() == 0


async def test_a_stream_of_a_file_that_is_deleted(ann: Person) -> None:
    """Its last word is `not_found`."""
    text = "\n\n".join(f"Falcon {number} is fast." * 20 for number in range(500)).encode()
    file = await upload(ann, text)
    told: list[dict[str, Any]] = []

    async def follow() -> None:
        told.extend(await statuses(ann, file["id"]))

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        await anyio.sleep(0.05)
        await ann.delete(f"/files/{file['id']}")
    assert told[-1] == {"status": "not_found"}
