"""Files in collections: put in, taken out, listed, without a trace on the files themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.surfaces.webui.library_app import collection, searchable, statuses, upload

if TYPE_CHECKING:
    from tests.surfaces.webui.library_app import Person

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio


async def test_adding_right_after_the_upload(ann: Person) -> None:
    """A file that is still processed is waited for."""
    birds, file = await collection(ann), await upload(ann)
    added = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (added.status_code, [each["id"] for each in added.json()["files"]]) == (200, [file["id"]])
    assert added.json()["files"][0]["meta"]["name"] == "falcons.txt"


async def test_adding_again(ann: Person) -> None:
    """A file that is in the collection stays in it, once."""
    birds, file = await collection(ann), await searchable(ann)
    paths = ("file/add", "file/add", "file/update")
    answers = [await ann.post(f"/knowledge/{birds}/{path}", json={"file_id": file["id"]}) for path in paths]
    assert [len(answer.json()["files"]) for answer in answers] == [1, 1, 1]
    found = await ann.post("/retrieval/query/doc", json={"collection_name": birds, "query": "falcons", "k": 9})
    assert found.json()["documents"] == [["Falcons are fast."]]


async def test_a_file_that_is_not_processed(ann: Person) -> None:
    """It is refused in the words that clients look for, and is still what it was."""
    birds, file = await collection(ann), await upload(ann, process=False)
    refused = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (refused.status_code, "Extracted content is not available" in refused.json()["detail"]) == (400, True)
    assert (await ann.get(f"/files/{file['id']}")).json()["data"] == {}


async def test_a_file_that_failed(ann: Person) -> None:
    """The answer says why it did."""
    birds, file = await collection(ann), await upload(ann, b" \n", process_in_background=False)
    refused = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (refused.status_code, file["data"]["error"] in refused.json()["detail"]) == (400, True)


async def test_a_file_that_takes_too_long(ann: Person, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `wait_for_processing` seconds the file is refused, and goes on being processed."""
    hasty = msgspec.structs.replace(runner.catalog.retrieval, wait_for_processing=0)
    monkeypatch.setattr(runner, "catalog", msgspec.structs.replace(runner.catalog, retrieval=hasty))
    birds, file = await collection(ann), await upload(ann, b"Falcons are fast.\n\n" * 5000)
    refused = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (refused.status_code, "Extracted content is not available" in refused.json()["detail"]) == (400, True)
    assert (await statuses(ann, file["id"]))[-1]["status"] == "completed"


async def test_somebody_elses_file(ann: Person, bob: Person) -> None:
    """It can't be put anywhere, and is answered as one that isn't there."""
    birds, file = await collection(ann), await searchable(bob)
    foreign = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    missing = await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": "file_0"})
    assert (foreign.status_code, missing.status_code) == (400, 400)
    assert foreign.json()["detail"].replace(file["id"], "file_0") == missing.json()["detail"]


async def test_folders(ann: Person) -> None:
    """There are none, which is said."""
    birds, file = await collection(ann), await searchable(ann)
    body = {"file_id": file["id"], "directory_id": "nest"}
    refused = await ann.post(f"/knowledge/{birds}/file/add", json=body)
    assert (refused.status_code, "folders" in refused.json()["detail"]) == (400, True)


async def test_a_batch(ann: Person) -> None:
    """What can be added is; what can't is named in `warnings`."""
    birds, file, failed = await collection(ann), await upload(ann), await upload(ann, b"\n", "empty.txt")
    bodies = [{"file_id": each} for each in (file["id"], failed["id"], "file_0")]
    added = (await ann.post(f"/knowledge/{birds}/files/batch/add", json=bodies)).json()
    assert [each["id"] for each in added["files"]] == [file["id"]]
    assert added["warnings"]["message"] == "2 of 3 files were not added."
    assert {error.partition(":")[0] for error in added["warnings"]["errors"]} == {failed["id"], "file_0"}


async def test_a_batch_of_nothing_good(ann: Person) -> None:
    """It is an error, not a warning."""
    birds = await collection(ann)
    refused = await ann.post(f"/knowledge/{birds}/files/batch/add", json=[{"file_id": "file_0"}])
    assert (refused.status_code, "file_0" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(("query", "status"), [("", 404), ("?delete_file=true", 404), ("?delete_file=false", 200)])
async def test_removing(ann: Person, query: str, status: int) -> None:
    """The file itself goes too, unless that is not wanted."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    removed = await ann.post(f"/knowledge/{birds}/file/remove{query}", json={"file_id": file["id"]})
    assert (removed.status_code, removed.json()["files"]) == (200, [])
    assert (await ann.get(f"/files/{file['id']}")).status_code == status


async def test_removing_what_is_not_in_it(ann: Person) -> None:
    """Nothing happens to the file."""
    birds, file = await collection(ann), await searchable(ann)
    refused = await ann.post(f"/knowledge/{birds}/file/remove", json={"file_id": file["id"]})
    assert refused.status_code == 400
    assert (await ann.get(f"/files/{file['id']}")).status_code == 200


async def test_removing_somebody_elses_file(ann: Person, bob: Person) -> None:
    """It leaves the collection, and stays its owner's."""
    grant = {"principal_type": "user", "principal_id": bob.user, "permission": "write"}
    birds, file = await collection(ann, access_grants=[grant]), await searchable(bob)
    await bob.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    removed = await ann.post(f"/knowledge/{birds}/file/remove", json={"file_id": file["id"]})
    assert removed.json()["files"] == []
    assert (await bob.get(f"/files/{file['id']}")).status_code == 200


async def test_lists_of_files(ann: Person) -> None:
    """A list has whose files they are, without their text; a part of the name narrows it."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    for path in (f"{birds}/files", "search/files"):
        listed = (await ann.get(f"/knowledge/{path}", params={"query": "falc"})).json()
        assert (listed["total"], listed["directories"], listed["breadcrumbs"]) == (1, [], [])
        assert (listed["items"][0]["data"], listed["items"][0]["user"]["id"]) == (None, ann.user)
        assert (await ann.get(f"/knowledge/{path}", params={"query": "raven"})).json()["total"] == 0


async def test_files_on_their_way(ann: Person, bob: Person) -> None:
    """A file that was uploaded for a collection and isn't processed yet is listed apart."""
    birds = await collection(ann)
    form = {"metadata": f'{{"knowledge_id": "{birds}"}}'}
    file = await ann.post("/files/?process=false", files={"file": ("a.txt", b"text")}, data=form)
    pending = await ann.get(f"/knowledge/{birds}/files/pending")
    assert [each["id"] for each in pending.json()] == [file.json()["id"]]
    assert (await bob.get(f"/knowledge/{birds}/files/pending")).status_code == 404
