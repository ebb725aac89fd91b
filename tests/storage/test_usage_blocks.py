"""The ledger in blocks of text, as frames read it, on both databases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import astuple, replace

from agentbench import frames
from agentbench.storage import usage, usage_blocks
from agentbench.storage.usage import UsageFilter, UsageRow

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_every_value_survives(database: Database, row: UsageRow, full: UsageRow) -> None:
    """What a frame holds is what was written, and null where that was None."""
    for each in (row, full):
        await database.write(partial(usage.append, row=each))
    frame = frames.read_usage(database)[list(UsageRow.__struct_fields__)].astype(object)
    found = frame.where(frame.notna(), None).itertuples(index=False, name=None)
    assert list(found) == [astuple(row), astuple(full)]


async def test_blocks_hold_each_row_once(database: Database, row: UsageRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the chosen rows lie far apart."""
    monkeypatch.setattr(usage_blocks, "ROWS", 3)
    rows = [replace(row, id=f"{number:03}", status="failed" if number % 7 else "completed") for number in range(300)]
    await database.write(lambda connection: [usage.append(connection, each) for each in rows])
    assert sorted(frames.read_usage(database)["id"]) == [each.id for each in rows]
    completed = frames.read_usage(database, status="completed")["id"]
    assert sorted(completed) == [each.id for each in rows if each.status == "completed"]


async def test_few_rows_are_one_block(database: Database, row: UsageRow) -> None:
    """Nothing is searched for where it lies; an empty ledger has no block at all."""
    assert await database.read(partial(usage_blocks.spans, chosen=UsageFilter())) == []
    await database.write(partial(usage.append, row=row))
    assert await database.read(partial(usage_blocks.spans, chosen=UsageFilter())) == [usage_blocks.Span()]
    assert await database.read(partial(usage_blocks.spans, chosen=UsageFilter(user="bob"))) == []


def test_every_column_is_in_a_block() -> None:
    """Each once: among those that rows share, or by itself."""
    assert sorted((*usage_blocks.OWN, *usage_blocks.SHARED)) == sorted(UsageRow.__struct_fields__)
