"""Processing and searching over Open WebUI's routes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.surfaces.webui.library_app import collection, searchable, upload

if TYPE_CHECKING:
    import httpx2
    from tests.surfaces.webui.library_app import Person

pytestmark = pytest.mark.anyio

RAVENS = {"name": "ravens", "content": "Ravens are clever."}


async def found(http: httpx2.AsyncClient, *names: str, query: str = "clever birds", **more: Any) -> Any:
    """Search collections; return the answer's body."""
    body = {"collection_names": names, "query": query, **more}
    response = await http.post("/retrieval/query/collection", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_search(ann: Person) -> None:
    """What fits best comes first, each with where it is from and how similar it is."""
    ravens = await searchable(ann, b"Ravens are clever.", "ravens.txt")
    falcons = await searchable(ann)
    told = await found(ann, f"file-{falcons['id']}", f"file-{ravens['id']}", query="Which birds are clever?", k=2)
    assert told["documents"] == [["Ravens are clever.", "Falcons are fast."]]
    assert told["distances"][0][0] > told["distances"][0][1]
    assert all(0 <= distance <= 1 for distance in told["distances"][0])
    first = told["metadatas"][0][0]
    assert (first["file_id"], first["source"], first["start_index"]) == (ravens["id"], "ravens.txt", 0)
    assert len(set(told["ids"][0])) == 2


async def test_one_collection(ann: Person) -> None:
    """A collection may be named by its id or its name; `k` says how many passages are wanted."""
    birds = await collection(ann)
    for name in ("falcons.txt", "ravens.txt"):
        file = await searchable(ann, name.encode(), name)
        await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    for name in (birds, "birds"):
        body = {"collection_name": name, "query": "ravens", "k": 1}
        assert len((await ann.post("/retrieval/query/doc", json=body)).json()["documents"][0]) == 1


@pytest.mark.parametrize(
    ("asked", "passages"),
    [({"hybrid": False, "r": 0.99}, 0), ({"hybrid_bm25_weight": 1}, 0), ({"hybrid_bm25_weight": 0}, 1), ({}, 1)],
)
async def test_ways_to_search(ann: Person, asked: dict[str, Any], passages: int) -> None:
    """Vectors and words count, or either; `r` leaves out what is less similar."""
    file = await searchable(ann)
    told = await found(ann, f"file-{file['id']}", query="something else", **asked)
    assert len(told["documents"][0]) == passages


@pytest.mark.parametrize("name", ["missing", "file-missing", "foreign", "file-foreign", "file-pending"])
async def test_what_can_not_be_searched(ann: Person, bob: Person, name: str) -> None:
    """What is missing, somebody else's or not processed is an error, not an empty answer."""
    named = {
        "foreign": await collection(bob),
        "file-foreign": f"file-{(await searchable(bob))['id']}",
        "file-pending": f"file-{(await upload(ann, process=False))['id']}",
    }.get(name, name)
    for path, body in (("doc", {"collection_name": named}), ("collection", {"collection_names": [named]})):
        response = await ann.post(f"/retrieval/query/{path}", json={"query": "falcons", **body})
        assert response.status_code == (400 if name == "file-pending" else 404)


async def test_a_text(ann: Person, bob: Person) -> None:
    """It can be searched under a name that is its own, is no file in the list, and only its owner's."""
    told = (await ann.post("/retrieval/process/text", json=RAVENS)).json()
    name = hashlib.sha256(b"Ravens are clever.").hexdigest()
    assert told == {"status": True, "collection_name": name, "content": "Ravens are clever."}
    assert (await found(ann, name))["documents"] == [["Ravens are clever."]]
    assert (await ann.get("/files/count")).json() == 0
    body = {"collection_name": name, "query": "clever"}
    assert (await bob.post("/retrieval/query/doc", json=body)).status_code == 404


async def test_the_same_text_again(ann: Person) -> None:
    """It is there once; another one in the same collection is there beside it."""
    for content in ("Ravens are clever.", "Ravens are clever.", "Owls are clever."):
        body = {"name": "birds", "content": content, "collection_name": "my-birds"}
        assert (await ann.post("/retrieval/process/text", json=body)).status_code == 200
    documents = (await found(ann, "my-birds", k=9))["documents"][0]
    assert sorted(documents) == ["Owls are clever.", "Ravens are clever."]


@pytest.mark.parametrize(
    ("name", "status"), [("file-x", 400), ("with space", 400), ("coll_" + "0" * 32, 404), ("foreign", 404)]
)
async def test_a_text_for_a_collection_that_can_not_be(ann: Person, bob: Person, name: str, status: int) -> None:
    """A made-up name must be one, and no id of a collection that isn't the caller's."""
    named = await collection(bob) if name == "foreign" else name
    refused = await ann.post("/retrieval/process/text", json=RAVENS | {"collection_name": named})
    assert refused.status_code == status


async def test_an_empty_text(ann: Person) -> None:
    """It is refused in the words that clients look for."""
    refused = await ann.post("/retrieval/process/text", json=RAVENS | {"content": " "})
    assert (refused.status_code, "The content provided is empty." in refused.json()["detail"]) == (400, True)


async def test_a_file_with_another_text(ann: Person) -> None:
    """The text that is sent takes the place of what would be read, and may go to a collection at once."""
    birds, file = await collection(ann), await upload(ann, process=False)
    body = {"file_id": file["id"], "content": "Ravens are clever.", "collection_name": birds}
    told = (await ann.post("/retrieval/process/file", json=body)).json()
    assert (told["collection_name"], told["content"]) == (birds, "Ravens are clever.")
    assert (await found(ann, birds))["documents"] == [["Ravens are clever."]]


async def test_a_file_that_may_not_be_given_away(ann: Person, bob: Person) -> None:
    """Somebody else's file can be read, but not put into a collection, which is said."""
    grants = [{"principal_type": "user", "principal_id": bob.user, "permission": "read"}]
    birds, file = await collection(ann, access_grants=grants), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    read = await bob.post("/retrieval/process/file", json={"file_id": file["id"]})
    refused = await bob.post("/retrieval/process/file", json={"file_id": file["id"], "collection_name": "mine"})
    assert (read.status_code, refused.status_code) == (200, 400)


async def test_a_file_that_can_not_be_processed(ann: Person) -> None:
    """The answer says why, and the file is kept."""
    file = await upload(ann, b"\n", process=False)
    refused = await ann.post("/retrieval/process/file", json={"file_id": file["id"]})
    assert (refused.status_code, "falcons.txt" in refused.json()["detail"]) == (400, True)
    assert (await ann.get(f"/files/{file['id']}")).json()["data"]["status"] == "failed"


async def test_a_batch(ann: Person) -> None:
    """Each file's row says what became of it."""
    birds, file = await collection(ann), await upload(ann)
    body = {"files": [file, {"id": "file_0"}], "collection_name": birds}
    told = (await ann.post("/retrieval/process/files/batch", json=body)).json()
    assert told["results"] == [{"file_id": file["id"], "status": "completed", "error": None}]
    assert [(each["file_id"], each["status"]) for each in told["errors"]] == [("file_0", "failed")]


async def test_taking_a_file_out(ann: Person) -> None:
    """It is no longer found in the collection, and still by itself."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    body = {"collection_name": birds, "file_id": file["id"]}
    assert (await ann.post("/retrieval/delete", json=body)).json() == {"status": True}
    assert (await found(ann, birds, query="falcons"))["documents"] == [[]]
    assert len((await found(ann, f"file-{file['id']}", query="falcons"))["documents"][0]) == 1
    own = {"collection_name": f"file-{file['id']}", "file_id": file["id"]}
    assert (await ann.post("/retrieval/delete", json=own)).status_code == 400


async def test_resetting(ann: Person, root: Person) -> None:
    """An administrator may delete all collections, and all files."""
    await collection(ann)
    await upload(ann, process=False)
    for path in ("db", "uploads"):
        assert (await ann.post(f"/retrieval/reset/{path}")).status_code == 403
        assert (await root.post(f"/retrieval/reset/{path}")).json() is True
    assert (await ann.get("/knowledge/")).json()["total"] == 0 == (await ann.get("/files/count")).json()


async def test_settings(ann: Person, root: Person) -> None:
    """An administrator may read them; where they are set is said."""
    config = (await root.get("/retrieval/config")).json()
    assert (config["TOP_K"], config["CHUNK_SIZE"], config["FILE_MAX_SIZE"]) == (3, 1000, 1)
    embedding = (await root.get("/retrieval/embedding")).json()
    assert (embedding["RAG_EMBEDDING_ENGINE"], embedding["RAG_EMBEDDING_MODEL"]) == ("local", "multilingual-e5-small")
    for path in ("config", "embedding"):
        assert (await ann.get(f"/retrieval/{path}")).status_code == 403
        refused = await root.post(f"/retrieval/{path}/update", json={"TOP_K": 9})
        assert (refused.status_code, "config file" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("query/doc", {"query": "x"}, "collection_name"),
        ("query/collection", {"collection_names": ["x"]}, "query"),
        ("query/doc", {"query": "x", "collection_name": "x", "k": 0}, "k"),
        ("process/file", {}, "file_id"),
        ("process/text", {"name": "x"}, "content"),
        ("process/web", {}, "url"),
        ("delete", {"file_id": "x"}, "collection_name"),
    ],
)
async def test_malformed_bodies(ann: Person, path: str, body: dict[str, Any], place: str) -> None:
    """What is wrong is named."""
    response = await ann.post(f"/retrieval/{path}", json=body)
    assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["body", place])
