"""Processes that are killed while they upload and process: what they left is completed by the next, once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select
from tests.retrieval.kill_processing import LEASE_S, text_of
from tests.retrieval.shelves import ANN, WordEmbedder, opened

from agentbench.storage import passages, tables
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from agentbench.retrieval.library import Library
    from agentbench.storage.files import StoredFile

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")]
ROUNDS = 12


@pytest.fixture
def aftermath(tmp_path: Path) -> Iterator[tuple[Database, dict[str, set[str]]]]:
    """Kill process after process; give their database, and the ids that they told of by what was done."""
    script = Path(__file__).with_name("kill_processing.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tmp_path), str(ROUNDS)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, set[str]] = {"added": set(), "deleting": set(), "deleted": set()}
    for line in done.stdout.splitlines():
        what, _, file_id = line.partition(" ")
        told[what].add(file_id)
    with closing(Database(home=tmp_path)) as database:
        yield database, told


async def test_a_killed_process_leaves_nothing_half_done(aftermath: tuple[Database, dict[str, set[str]]]) -> None:
    """Each acknowledged file ends completed, with its bytes and one vector a passage; deleted ones are gone."""
    database, told = aftermath
    assert len(told["added"]) > ROUNDS
    async with opened(database, WordEmbedder(), lease=LEASE_S) as library:
        found, _ = await library.files(ANN, limit=1000)
        await library.wait(ANN, [each.id for each in found], within=30)
        found, _ = await library.files(ANN, limit=1000)
        ids = {each.id for each in found}
        assert {each.status for each in found} == {"completed"}
        assert told["added"] - told["deleting"] <= ids
        assert not told["deleted"] & ids
        joined, _ = await library.files(ANN, collection="papers", limit=1000)
        assert {each.id for each in joined} == ids
        for file in found:
            await check(library, database, file)
    database.read_now(check_database)
    assert max(database.read_now(lambda connection: connection.scalars(select(tables.files.c.attempts)).all())) > 1


async def check(library: Library, database: Database, file: StoredFile) -> None:
    """See that a file is whole: its bytes, its passages, and the vectors that these have."""
    data = text_of(file.name).encode()
    assert file.digest == hashlib.sha256(data).hexdigest()
    assert b"".join([part async for part in library.content(ANN, file.id)]) == data
    assert database.read_now(partial(passages.count, file_id=file.id)) == (file.passages, file.passages)
    assert file.passages == 2 + int(file.name.partition(".")[0]) % 12
    for text, embedding in database.read_now(partial(embedded, file_id=file.id)):
        assert np.frombuffer(embedding, "<f4") @ WordEmbedder()._vector(text) == pytest.approx(1, abs=1e-5)


def embedded(connection: Connection, file_id: str) -> list[tuple[str, bytes]]:
    """Return the passages of a file with their vectors."""
    table = tables.passages
    query = select(table.c.text, table.c.embedding).where(table.c.file_id == file_id)
    return [(row.text, row.embedding) for row in connection.execute(query)]


def check_database(connection: Connection) -> None:
    """See that the file is sound, and that nothing in it belongs to what is gone."""
    assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
