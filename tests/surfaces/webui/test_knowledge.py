"""Collections over Open WebUI's routes: made, listed, changed, shared, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.surfaces.webui.library_app import collection, searchable

if TYPE_CHECKING:
    from tests.surfaces.webui.library_app import Person

pytestmark = pytest.mark.anyio

WRITES = [
    ("POST", "update", {"name": "mine", "description": ""}),
    ("POST", "access/update", {"access_grants": []}),
    ("POST", "file/add", {"file_id": "file_0"}),
    ("POST", "file/remove", {"file_id": "file_0"}),
    ("POST", "files/batch/add", [{"file_id": "file_0"}]),
    ("POST", "reset", None),
    ("POST", "reindex", None),
    ("DELETE", "delete", None),
]


def grant(user: str, permission: str = "read", kind: str = "user") -> dict[str, str]:
    """Return what opens a collection to a user."""
    return {"principal_type": kind, "principal_id": user, "permission": permission}


async def test_making_one(ann: Person) -> None:
    """It is private, and empty."""
    made = (await ann.post("/knowledge/create", json={"name": "birds", "description": "of prey"})).json()
    assert (made["name"], made["description"], made["user_id"]) == ("birds", "of prey", ann.user)
    assert (made["access_grants"], made["files"]) == ([], None)
    assert isinstance(made["created_at"], int)
    assert (await ann.get(f"/knowledge/{made['id']}")).json() == made | {"write_access": True}


@pytest.mark.parametrize(
    ("body", "missing"), [({"name": "birds"}, "description"), ({"description": ""}, "name"), ([], None)]
)
async def test_a_malformed_one(ann: Person, body: Any, missing: str | None) -> None:
    """What is missing is named."""
    response = await ann.post("/knowledge/create", json=body)
    place = ["body", missing] if missing else ["body"]
    assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, place)


async def test_lists(ann: Person, bob: Person) -> None:
    """A list has what the caller may read, and says whose it is, what is in it, and who may write."""
    birds = await collection(ann, "birds", access_grants=[grant(bob.user)])
    await collection(ann, "fish")
    own, theirs = (await ann.get("/knowledge/")).json(), (await bob.get("/knowledge/")).json()
    assert (own["total"], [each["name"] for each in own["items"]]) == (2, ["fish", "birds"])
    assert [(each["id"], each["file_count"], each["write_access"]) for each in theirs["items"]] == [(birds, 0, False)]
    email = f"{ann.user}@example.org"
    assert theirs["items"][0]["user"] == {"id": ann.user, "name": email, "role": "user", "email": email}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"query": "BIR"}, ["birds"]),
        ({"view_option": "created"}, ["birds"]),
        ({"view_option": "shared"}, ["fish"]),
        ({"query": "reptiles"}, []),
        ({"page": 2}, []),
    ],
)
async def test_a_search(ann: Person, bob: Person, query: dict[str, Any], names: list[str]) -> None:
    """It goes by names and descriptions, and by whose collections are meant."""
    await collection(ann, "birds")
    await collection(bob, "fish", access_grants=[grant(ann.user)])
    found = (await ann.get("/knowledge/search", params=query)).json()
    assert [each["name"] for each in found["items"]] == names


async def test_changing_one(ann: Person, bob: Person) -> None:
    """Its name and description change; without `access_grants` who may use it does not."""
    birds = await collection(ann, access_grants=[grant(bob.user)])
    changed = await ann.post(f"/knowledge/{birds}/update", json={"name": "owls", "description": "of the night"})
    assert (changed.json()["name"], changed.json()["description"]) == ("owls", "of the night")
    assert len(changed.json()["access_grants"]) == 1


async def test_a_grant(ann: Person, bob: Person) -> None:
    """Who may read finds the collection's files and what is in them; once that is taken back, nothing."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    question = {"collection_names": [birds], "query": "falcons"}
    answers = []
    for grants in ([grant(bob.user)], []):
        shared = await ann.post(f"/knowledge/{birds}/access/update", json={"access_grants": grants})
        answers.append(
            [
                len(shared.json()["access_grants"]),
                (await bob.get(f"/knowledge/{birds}")).status_code,
                (await bob.get(f"/files/{file['id']}")).status_code,
                (await bob.post("/retrieval/query/collection", json=question)).status_code,
            ]
        )
    assert answers == [[1, 200, 200, 200], [0, 404, 404, 404]]


async def test_what_a_grant_says(ann: Person, bob: Person) -> None:
    """All that clients want to know of one is there; a user may be named by email, everyone by a star."""
    birds = await collection(ann, access_grants=[grant(f"{bob.user}@example.org"), grant("*")])
    told = (await ann.get(f"/knowledge/{birds}")).json()["access_grants"]
    assert {each["principal_id"] for each in told} == {bob.user, "*"}
    assert {key: told[0][key] for key in ("resource_type", "resource_id", "principal_type", "permission")} == {
        "resource_type": "knowledge",
        "resource_id": birds,
        "principal_type": "user",
        "permission": "read",
    }
    assert {type(told[0][key]) for key in ("id", "created_at")} == {str, int}
    await ann.delete(f"/knowledge/{birds}/delete")  # as everyone sees it


@pytest.mark.parametrize("to", [grant("staff", kind="group"), grant("nobody")])
async def test_a_grant_to_nobody(ann: Person, to: dict[str, str]) -> None:
    """A group, and a user that there isn't, are refused, not forgotten."""
    birds = await collection(ann)
    refused = await ann.post(f"/knowledge/{birds}/access/update", json={"access_grants": [to]})
    assert refused.status_code == 400
    assert (await ann.get(f"/knowledge/{birds}")).json()["access_grants"] == []


async def test_writing(ann: Person, bob: Person) -> None:
    """Who may write puts files of their own in, and may not give the collection away or delete it."""
    birds, file = await collection(ann, access_grants=[grant(bob.user, "write")]), await searchable(bob)
    added = await bob.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (added.status_code, added.json()["write_access"]) == (200, True)
    assert (await ann.get(f"/files/{file['id']}")).status_code == 200
    assert (await bob.post(f"/knowledge/{birds}/access/update", json={"access_grants": []})).status_code == 400
    assert (await bob.delete(f"/knowledge/{birds}/delete")).status_code == 400


@pytest.mark.parametrize("readable", [False, True])
async def test_somebody_elses(ann: Person, bob: Person, *, readable: bool) -> None:
    """It can't be changed, whether it may be read or not."""
    birds = await collection(ann, access_grants=[grant(bob.user)] if readable else [])
    before = (await ann.get(f"/knowledge/{birds}")).json()
    for method, path, body in WRITES:
        response = await bob.request(method, f"/knowledge/{birds}/{path}", json=body)
        assert (response.status_code, bool(response.json()["detail"])) == (400, True)
    assert (await ann.get(f"/knowledge/{birds}")).json() == before


async def test_deleting(ann: Person) -> None:
    """The collection is gone, its files are not."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (await ann.delete(f"/knowledge/{birds}/delete")).json() is True
    assert (await ann.delete(f"/knowledge/{birds}/delete")).status_code == 400
    assert (await ann.get(f"/knowledge/{birds}")).status_code == 404
    assert (await ann.get(f"/files/{file['id']}")).status_code == 200


async def test_resetting(ann: Person) -> None:
    """Nothing is in the collection any more; the files are still there."""
    birds, file = await collection(ann), await searchable(ann)
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    assert (await ann.post(f"/knowledge/{birds}/reset")).json()["id"] == birds
    assert (await ann.get(f"/knowledge/{birds}/files")).json()["total"] == 0
    assert (await ann.get(f"/files/{file['id']}")).status_code == 200
