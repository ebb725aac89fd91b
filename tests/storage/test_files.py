"""Files, their parts and texts, and who sees them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.storage.stored import START, complete, counts, some_collection, some_file, some_passages

from agentbench.storage import collections, file_texts, files, grants, processing
from agentbench.storage.grants import EVERYONE, Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
ANN, BOB, ADMIN = Reader("ann"), Reader("bob"), Reader("root", sees_all=True)


async def test_a_file_comes_back(database: Database) -> None:
    """All that is known of a file, and its bytes part by part, are as they were stored."""
    file = some_file(name="보고서 'a'.pdf", kind="web", url="https://e.org", size=2**40, meta={"a": [1, None, "é"]})
    await database.write(partial(files.add, file=file, parts=[b"\0one", b"two"]))
    assert await database.read(partial(files.get, file_id=file.id, reader=ANN)) == file
    parts = [await database.read(partial(files.part, file_id=file.id, number=number)) for number in range(3)]
    assert parts == [b"\0one", b"two", None]


async def test_parts_that_break_off_leave_nothing(database: Database) -> None:
    """A file whose bytes end in an error isn't there."""

    def parts() -> list[bytes]:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the one raised above
        await database.write(lambda connection: files.add(connection, some_file(), (each for each in parts())))
    assert await database.read(counts) == {}


async def test_who_reads_a_file(database: Database) -> None:
    """Its owner and administrators; others only through a collection that is granted to them, and then only to read."""

    def store(connection: Connection) -> None:
        for name in names:
            files.add(connection, some_file(name), [])
        for name, user in (("shared", "bob"), ("open", EVERYONE), ("closed", "nobody")):
            collections.add(connection, some_collection(name))
            grants.replace(connection, name, [(user, "write")])
        for name in ("shared", "open"):
            collections.link(connection, name, [f"in {name}"])
        collections.link(connection, "closed", ["ann's"])

    def seen(connection: Connection, reader: Reader) -> tuple[list[str], ...]:
        listed, total = files.page(connection, reader, own=False)
        known = files.known(connection, names, reader)
        assert total == len(listed)
        return (
            [name for name in names if files.get(connection, name, reader)],
            sorted(each.id for each in listed),
            [each.id for each in known],
            [name for name in names if files.get(connection, name, reader, write=True)],
        )

    names = ["ann's", "in open", "in shared"]
    await database.write(store)
    expected = {ANN: (names, names), ADMIN: (names, names), BOB: (names[1:], []), Reader("eve"): (names[1:2], [])}
    for reader, (reads, writes) in expected.items():
        assert await database.read(partial(seen, reader=reader)) == (reads, reads, reads, writes)


async def test_pages_of_files(database: Database) -> None:
    """A page has the newest first; a glob takes names in any case and in either way of writing Hangul, and no more."""

    def store(connection: Connection) -> None:
        for number, name in enumerate(
            ["A.pdf", "b.PDF", "c_d.txt", "cxd.txt", "\u1112\u1161\u11ab\u1100\u1173\u11af.md"]
        ):
            files.add(connection, some_file(name=name, updated_at=START + timedelta(hours=number)), [])
        files.add(connection, some_file(name="bob's.pdf", user="bob"), [])
        files.add(connection, some_file(name="note.pdf", kind="text"), [])

    async def page(**options: object) -> tuple[list[str], int]:
        found, total = await database.read(partial(files.page, reader=ANN, **options))
        return [each.name for each in found], total

    await database.write(store)
    assert await page(offset=1, limit=2) == (["cxd.txt", "c_d.txt"], 5)
    assert await page(glob="*.Pdf") == (["b.PDF", "A.pdf"], 2)
    assert await page(glob="c_d*") == (["c_d.txt"], 1)
    assert await page(glob="?.pdf", limit=1) == (["b.PDF"], 2)
    assert (await page(glob="한글*"))[1] == 1
    assert await page(kinds=("text",)) == (["note.pdf"], 1)


async def test_files_of_a_collection(database: Database) -> None:
    """Those in it and those that will join it are told apart."""

    def store(connection: Connection) -> None:
        collections.add(connection, some_collection("papers"))
        complete(connection, some_file("done"), [], joins=["papers"])
        files.add(connection, some_file("waits"), [], joins=["papers"])

    await database.write(store)
    inside, _ = await database.read(partial(files.page, reader=ANN, collection="papers"))
    awaited, total = await database.read(partial(files.page, reader=ANN, collection="papers", pending=True))
    assert [each.id for each in inside] == ["done"]
    assert ([each.id for each in awaited], total) == (["waits"], 1)


async def test_a_file_is_renamed(database: Database) -> None:
    """It is found by its new name, and it is the last that was changed."""
    await database.write(lambda connection: files.add(connection, some_file("f", meta={"a": 1}), []))
    await database.write(partial(files.change, file_id="f", name="New.txt"))
    found, _ = await database.read(partial(files.page, reader=ANN, glob="new*"))
    assert [(each.name, each.meta) for each in found] == [("New.txt", {"a": 1})]
    assert found[0].updated_at > START


async def test_nothing_stays_of_deleted_files(database: Database) -> None:
    """Parts, text, passages, vectors and memberships go with the file; the collections that had it change."""

    def store(connection: Connection) -> None:
        for name in ("papers", "other"):
            collections.add(connection, some_collection(name))
        complete(connection, some_file("f"), some_passages("one", "two"), [b"1234", b"5678"], joins=["papers"])
        files.add(connection, some_file("g"), [b"part"], joins=["papers"])
        file_texts.replace(connection, "f", file_texts.FileText(text="one two"))

    await database.write(store)
    before = await database.read(partial(collections.known, collection_ids=["papers", "other"], reader=ANN))
    assert await database.write(partial(files.delete_all, file_ids=["f", "g", "missing"])) == 2
    after = await database.read(partial(collections.known, collection_ids=["papers", "other"], reader=ANN))
    assert await database.read(counts) == {}
    assert [late.version - early.version for early, late in zip(before, after, strict=True)] == [1, 0]


async def test_texts_come_back(database: Database) -> None:
    """A text has its pages; what no database takes is replaced character by character."""
    text = file_texts.FileText(text="a\0b\ud800한\n", markup="markdown", pages=(0, 2), page_names=("x", "y"))
    await database.write(lambda connection: files.add(connection, some_file("f"), []))
    await database.write(partial(file_texts.replace, file_id="f", text=text))
    await database.write(partial(file_texts.replace, file_id="f", text=text))
    found = await database.read(partial(file_texts.get, file_id="f"))
    assert found is not None
    assert (found.text, found.pages, found.page_names, found.markup) == (
        "a\ufffdb?한\n",
        (0, 2),
        ("x", "y"),
        "markdown",
    )
    await database.write(partial(processing.edit, file_id="f", text="new", digest="d"))
    assert await database.read(partial(file_texts.get, file_id="f")) == file_texts.FileText(text="new", edited=True)
