"""Collections, their files and who may read or write them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.storage.stored import START, complete, make, some_collection, some_file

from agentbench.storage import collections, files, grants
from agentbench.storage.grants import EVERYONE, Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.database import Database
    from agentbench.storage.grants import Permission

pytestmark = pytest.mark.anyio
ANN, BOB, EVE, ADMIN = Reader("ann"), Reader("bob"), Reader("eve"), Reader("root", sees_all=True)


@pytest.fixture
def stored(database: Database) -> Database:
    """Give a database with collections of Ann's: her own, one that Bob may read, one that he may write, an open one."""

    def store(connection: Connection) -> None:
        shared = {"own": [], "read": [("bob", "read")], "write": [("bob", "write")], "open": [(EVERYONE, "read")]}
        for number, (name, granted) in enumerate(shared.items()):
            made = some_collection(name, name=name.title(), updated_at=START + timedelta(hours=number))
            collections.add(connection, made)
            grants.replace(connection, name, granted)
        collections.add(connection, some_collection("scratch", kind="scratch"))

    database._writer.submit(store).result()
    return database


async def listed(database: Database, reader: Reader, **options: object) -> list[str]:
    """Return the ids of a page, and hold the total against it."""
    found, total = await database.read(partial(collections.page, reader=reader, **options))
    assert "limit" in options or total == len(found)
    return [each.id for each in found]


async def test_a_collection_comes_back(database: Database) -> None:
    """All that is known of a collection is as it was stored; a second one of that handle isn't stored."""
    made = some_collection(name="논문", description="d", meta={"a": 1}, handle="h")
    assert await database.write(partial(collections.add, collection=made))
    assert not await database.write(partial(collections.add, collection=some_collection(handle="h")))
    assert await database.write(partial(collections.add, collection=some_collection(handle="h", user="bob")))
    assert await database.read(partial(collections.get, collection_id=made.id, reader=ANN)) == made
    assert await database.read(partial(collections.by_handle, handle="h", user="ann")) == made
    assert await database.read(partial(collections.by_name, name="논문", user="ann")) == [made]
    assert await database.read(partial(collections.by_name, name="논문", user="bob")) == []


async def test_who_reads_and_writes(stored: Database) -> None:
    """The owner, whom it is granted to, and administrators; lists, look-ups and single reads agree."""

    def allowed(connection: Connection, reader: Reader, *, write: bool) -> list[str]:
        return [each for each in ids if collections.get(connection, each, reader, write=write)]

    ids = ["open", "write", "read", "own"]
    expected = {ANN: (ids, ids), ADMIN: (ids, ids), BOB: (ids[:3], ["write"]), EVE: (["open"], [])}
    for reader, (reads, writes) in expected.items():
        known = await stored.read(partial(collections.known, collection_ids=ids, reader=reader))
        assert await listed(stored, reader) == [each.id for each in known] == reads
        assert await stored.read(partial(allowed, reader=reader, write=False)) == reads
        assert await stored.read(partial(allowed, reader=reader, write=True)) == writes


async def test_pages_of_collections(stored: Database) -> None:
    """A page can be of the reader's own, of those of others, and of those whose name or description has a text."""
    await stored.write(partial(collections.change, collection_id="own", description="Über 100% Fisch"))
    assert await listed(stored, ANN, shared=False) == ["own", "open", "write", "read"]
    assert await listed(stored, ANN, shared=True) == []
    assert await listed(stored, BOB, shared=True, offset=1, limit=1) == ["write"]
    assert await listed(stored, ANN, query="über") == ["own"]
    assert await listed(stored, ANN, query="100%") == ["own"]
    assert await listed(stored, ANN, query="1%F") == []
    assert await listed(stored, ANN, query="EA") == ["read"]


async def test_grants_that_stay_keep_their_ids(stored: Database) -> None:
    """Replacing the grants adds and removes what differs; one that is named twice is there once."""
    before = await stored.read(partial(grants.of, collection_ids=["read"]))
    wanted = [(EVERYONE, "read"), ("bob", "read"), (EVERYONE, "read")]
    await stored.write(partial(grants.replace, collection_id="read", wanted=wanted))
    found = await stored.read(partial(collections.get, collection_id="read", reader=BOB))
    assert found is not None
    assert [(each.user, each.permission) for each in found.grants] == [("bob", "read"), (EVERYONE, "read")]
    assert found.grants[0] == before[0]
    await stored.write(partial(grants.replace, collection_id="read", wanted=[]))
    assert await stored.read(partial(collections.get, collection_id="read", reader=BOB)) is None


async def test_linking_twice_is_linking_once(stored: Database) -> None:
    """A file is in a collection once; what is missing isn't linked; each change makes a new version."""

    def link(connection: Connection, *ids: str) -> list[str]:
        return collections.link(connection, "own", ids)

    await stored.write(lambda connection: [files.add(connection, some_file(each), []) for each in "abc"])
    assert await stored.write(lambda connection: link(connection, "b", "a", "b", "missing")) == ["b", "a"]
    assert await stored.write(lambda connection: link(connection, "a", "c")) == ["c"]
    assert await stored.write(lambda connection: collections.link(connection, "missing", ["a"])) == []
    own = await stored.read(partial(collections.get, collection_id="own", reader=ANN))
    assert own is not None
    assert (own.files, own.version) == (3, 2)
    assert await stored.write(partial(collections.unlink, collection_id="own", files=["a", "missing"])) == 1
    assert sorted(await stored.write(partial(collections.clear, collection_id="own"))) == ["b", "c"]
    own = await stored.read(partial(collections.get, collection_id="own", reader=ANN))
    assert own is not None
    assert (own.files, own.version) == (0, 4)


async def test_a_file_joins_when_it_is_completed(stored: Database) -> None:
    """One that was taken out meanwhile doesn't join; a deleted collection is no obstacle."""

    def store(connection: Connection) -> None:
        files.add(connection, some_file("f"), [], joins=["own", "read", "write", "own"])
        collections.unlink(connection, "read", ["f"])
        collections.delete_one(connection, "write")

    await stored.write(store)
    assert await stored.read(partial(collections.file_ids, collection_id="own")) == []
    await stored.write(lambda connection: make(connection, "f", []))
    assert await stored.read(partial(collections.file_ids, collection_id="own")) == ["f"]
    assert await stored.read(partial(collections.file_ids, collection_id="read")) == []


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("bob", [], ["root"]),
        ("bob", [("bob", "read")], ["root"]),
        ("bob", [("bob", "write")], ["bob", "root"]),
        ("bob", [(EVERYONE, "write")], ["bob", "root"]),
        (EVERYONE, [("eve", "write")], ["ann"]),
        (EVERYONE, [("bob", "write")], ["ann", "bob"]),
    ],
)
async def test_a_writer_who_is_one_no_more(
    stored: Database, before: str, after: list[tuple[str, Permission]], joined: list[str]
) -> None:
    """Files that had yet to join don't, if their users lose the grant meanwhile; others do."""
    users = ["ann", "bob"] if before == EVERYONE else ["bob", "root"]

    def job(connection: Connection) -> list[str]:
        grants.replace(connection, "own", [(before, "write")])
        for user in users:
            files.add(connection, some_file(user, user=user), [], joins=["own"])
        grants.replace(connection, "own", after)
        for user in users:
            make(connection, user, [])
        return collections.file_ids(connection, "own")

    assert sorted(await stored.write(job)) == joined


async def test_files_outlive_their_collection(stored: Database) -> None:
    """Deleting a collection takes its grants and links, and no file."""
    await stored.write(lambda connection: complete(connection, some_file("f"), [], joins=["read"]))
    assert await stored.write(partial(collections.delete_one, collection_id="read"))
    assert not await stored.write(partial(collections.delete_one, collection_id="read"))
    assert await stored.read(partial(grants.of, collection_ids=["read"])) == []
    assert await stored.read(partial(files.get, file_id="f", reader=ANN)) is not None
    assert await stored.read(partial(files.get, file_id="f", reader=BOB)) is None
