"""Files over Open WebUI's routes: uploaded, listed, read, changed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.surfaces.webui.library_app import Person, collection, searchable, statuses, upload

from agentbench.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from tests.surfaces.webui.library_app import WordEmbedder

pytestmark = pytest.mark.anyio

FOREIGN: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "", None),
    ("DELETE", "", None),
    ("POST", "/process", None),
    ("GET", "/process/status", None),
    ("GET", "/content", None),
    ("GET", "/content/name.txt", None),
    ("GET", "/data/content", None),
    ("POST", "/data/content/update", {"content": "mine"}),
    ("POST", "/rename", {"filename": "mine.txt"}),
]


async def test_an_upload(ann: Person) -> None:
    """It is answered at once: the file waits for its turn, and where it is stored isn't told."""
    file = await upload(ann)
    assert (file["status"], file["filename"], file["path"], file["user_id"]) == (True, "falcons.txt", "", ann.user)
    assert file["data"]["status"] in ("pending", "processing", "completed")
    assert (file["meta"]["name"], file["meta"]["content_type"], file["meta"]["size"]) == (
        "falcons.txt",
        "text/plain",
        17,
    )
    assert isinstance(file["created_at"], int)


async def test_an_upload_that_waits(ann: Person) -> None:
    """With `process_in_background=false` the answer is the file as it is in the end."""
    file = await upload(ann, process_in_background=False)
    assert file["data"] == {"status": "completed", "content": "Falcons are fast."}
    assert file["hash"] == file["meta"]["file_hash"]
    assert file["meta"]["collection_name"] == f"file-{file['id']}"


async def test_an_upload_that_waits_and_fails(ann: Person) -> None:
    """The answer says why; the file is kept."""
    file = await upload(ann, b"  \n ", process_in_background=False)
    assert (file["status"], file["data"]["status"]) == (False, "failed")
    assert file["data"]["error"]
    assert (await ann.get(f"/files/{file['id']}")).json()["data"] == file["data"]


async def test_an_upload_that_is_not_processed(ann: Person) -> None:
    """With `process=false` it stays as it is until somebody asks."""
    file = await upload(ann, process=False)
    status = f"/files/{file['id']}/process/status"
    assert (file["data"], "status" in file) == ({}, False)
    assert (await ann.get(status)).json() == {"status": "pending"}
    assert await statuses(ann, file["id"]) == [{"status": "pending"}]
    assert (await ann.post(f"/files/{file['id']}/process")).json()["data"]["status"] in ("pending", "processing")
    assert (await statuses(ann, file["id"]))[-1]["status"] == "completed"


async def test_metadata(ann: Person) -> None:
    """What comes with the file is kept with it; `knowledge_id` is the collection that it joins by itself."""
    birds = await collection(ann)
    metadata = {"knowledge_id": birds, "season": "spring"}
    response = await ann.post(
        "/files/",
        files={"file": ("falcons.txt", b"Falcons are fast.")},
        data={"metadata": msgspec.json.encode(metadata).decode()},
        params={"process_in_background": False},
    )
    assert response.json()["meta"]["data"] == metadata
    joined = (await ann.get(f"/knowledge/{birds}/files")).json()
    assert [file["id"] for file in joined["items"]] == [response.json()["id"]]
    assert (await ann.get(f"/knowledge/{birds}/files/pending")).json() == []


async def test_the_stream_of_a_status(ann: Person) -> None:
    """It goes on until the file is completed, and ends then."""
    file = await upload(ann)
    told = await statuses(ann, file["id"])
    assert told[-1] == {"status": "completed", "done": 1, "total": 1}
    assert {each["status"] for each in told} <= {"pending", "processing", "completed"}


async def test_a_failure_and_another_try(ann: Person, embedder: WordEmbedder) -> None:
    """The status says why a file failed; processing it again works once the reason is gone."""
    embedder.broken = UpstreamUnavailable("The embedder is down.")
    file = await upload(ann, process_in_background=False)
    status = f"/files/{file['id']}/process/status"
    told = (await ann.get(status)).json()
    assert (told["status"], "The embedder is down." in told["error"]) == ("failed", True)
    assert await statuses(ann, file["id"]) == [told]
    embedder.broken = None
    again = await ann.post("/retrieval/process/file", json={"file_id": file["id"]})
    assert again.json() == {
        "status": True,
        "collection_name": f"file-{file['id']}",
        "filename": "falcons.txt",
        "content": "Falcons are fast.",
    }
    assert (await ann.get(status)).json() == {"status": "completed"}


async def test_lists(ann: Person, bob: Person) -> None:
    """A list has the caller's own files, with their text unless that is not wanted."""
    file = await searchable(ann)
    await upload(bob, name="other.txt")
    listed = (await ann.get("/files/")).json()
    assert [each["id"] for each in listed["items"]] == [file["id"]]
    assert (listed["total"], listed["items"][0]["data"]["content"]) == (1, "Falcons are fast.")
    bare = (await ann.get("/files", params={"content": False})).json()
    assert bare["items"][0]["data"] == {"status": "completed"}
    assert (await ann.get("/files/", params={"page": 2})).json() == {"items": [], "total": 1}
    assert (await ann.get("/files/count")).json() == 1


@pytest.mark.parametrize("query", ["page=0", "page=99999999999999999999", "page=one", "content=perhaps"])
async def test_a_bad_query(ann: Person, query: str) -> None:
    """What is wrong with it is named."""
    refused = await ann.get(f"/files/?{query}")
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", query.partition("=")[0]])


async def test_a_search_by_name(ann: Person) -> None:
    """The name may have wildcards; where none fits, that is a 404."""
    await upload(ann, name="falcons.txt", process=False)
    await upload(ann, name="ravens.md", process=False)
    found = await ann.get("/files/search", params={"filename": "*.md"})
    assert [file["filename"] for file in found.json()] == ["ravens.md"]
    none = await ann.get("/files/search", params={"filename": "*.pdf"})
    assert (none.status_code, "*.pdf" in none.json()["detail"]) == (404, True)


async def test_an_administrator(ann: Person, root: Person) -> None:
    """An administrator sees and may delete everybody's files."""
    file = await upload(ann, process=False)
    assert file["id"] in [each["id"] for each in (await root.get("/files/")).json()["items"]]
    assert (await root.get(f"/files/{file['id']}")).json()["user_id"] == ann.user
    assert (await ann.delete("/files/all")).status_code == 403
    assert (await root.delete("/files/all")).json() == {"message": "All files deleted successfully"}
    assert (await ann.get("/files/count")).json() == 0


async def test_somebody_elses_file(ann: Person, bob: Person) -> None:
    """It is answered as one that isn't there, and stays as it was."""
    file = await upload(ann, process=False)
    for method, path, body in FOREIGN:
        foreign = await bob.request(method, f"/files/{file['id']}{path}", json=body)
        missing = await bob.request(method, f"/files/file_0{path}", json=body)
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert foreign.json()["detail"].replace(file["id"], "file_0") == missing.json()["detail"]
    assert (await ann.get(f"/files/{file['id']}")).json() == {k: v for k, v in file.items() if k != "status"}


async def test_another_text(ann: Person) -> None:
    """A text of one's own takes the place of what was read out of the file, also for searches."""
    file = await searchable(ann)
    path = f"/files/{file['id']}/data/content"
    updated = await ann.post(f"{path}/update", json={"content": "Ravens are clever."})
    assert updated.json() == {"content": "Ravens are clever."} == (await ann.get(path)).json()
    found = await ann.post("/retrieval/query/doc", json={"collection_name": f"file-{file['id']}", "query": "clever"})
    assert found.json()["documents"] == [["Ravens are clever."]]
    assert (await ann.post(f"{path}/update", json={"content": " "})).status_code == 400


async def test_renaming(ann: Person) -> None:
    """A file's new name is a name, whatever path was sent."""
    file = await upload(ann, process=False)
    renamed = await ann.post(f"/files/{file['id']}/rename", json={"filename": "../../ravens.txt"})
    assert renamed.json()["filename"] == "ravens.txt" == renamed.json()["meta"]["name"]


async def test_deleting(ann: Person) -> None:
    """Nothing of a deleted file is found any more, nor in its collections."""
    file, birds = await searchable(ann), await collection(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (await ann.delete(f"/files/{file['id']}")).json() == {"message": "File deleted successfully"}
    assert (await ann.delete(f"/files/{file['id']}")).status_code == 404
    assert (await ann.get(f"/knowledge/{birds}/files")).json()["total"] == 0
    question = {"collection_name": f"file-{file['id']}", "query": "falcons"}
    assert (await ann.post("/retrieval/query/doc", json=question)).status_code == 404


async def test_an_administrators_key_for_a_few_agents(ann: Person, root: Person, app: ASGIApp) -> None:
    """It has its user's own files, and does none of the operator's work."""
    foreign = (await upload(ann, process=False))["id"]
    async with Person(app, root.user, "ADMIN", agents=("guide",)) as limited:
        own = (await upload(limited, process=False))["id"]
        read = [(await each.get(f"/files/{file}")).status_code for each in (root, limited) for file in (foreign, own)]
        assert read == [200, 200, 404, 200]
        refused = [await limited.delete("/files/all"), await limited.post("/retrieval/reset/db")]
        refused.append(await limited.get("/models/base"))
        assert [each.status_code for each in refused] == [403, 403, 403]
