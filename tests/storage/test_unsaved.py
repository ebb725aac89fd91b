"""What waits to be stored: its file, its limits, and how it comes into the database."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import IntegrityError

from agentbench.protocol import CreateResponse, draft
from agentbench.protocol.items import user_message
from agentbench.storage import conversations, responses, usage
from agentbench.storage.responses import StoredResponse
from agentbench.storage.unsaved import Outcome, Unsaved, save, spill_places

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 2, tzinfo=UTC)


def turn(name: str, *, parent: str | None = None, conversation: str | None = "conv_1", minute: int = 0) -> Outcome:
    """Return the outcome of a turn, with a response of that id."""
    request = CreateResponse(input=(user_message("What?"),))
    stored = StoredResponse(
        response=replace(draft(request, model="m"), id=name),
        input=request.input,
        user="ann",
        conversation_id=conversation,
        parent=parent,
        agent="bot",
        endpoint="local",
        created_at=START + timedelta(minutes=minute),
    )
    return Outcome(response=stored, is_head=True)


def only(*rows: UsageRow) -> Outcome:
    """Return the outcome of a turn that isn't stored."""
    return Outcome(rows=rows)


def kept(unsaved: Unsaved) -> list[str]:
    """Return the ids of the rows that wait."""
    return [row.id for outcome in unsaved._outcomes() for row in outcome.rows]


def head(connection: Connection) -> str | None:
    """Return the newest response of the one conversation."""
    (found,) = conversations.recent(connection, "ann", 9)
    return found.head


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Name the beginning of a file's path."""
    return tmp_path / "a.db.unsaved"


def test_it_is_written_to_a_private_file(place: Path, row: UsageRow) -> None:
    """What is kept lies beside the database, a line each, and only its owner can read it."""
    unsaved, outcomes = Unsaved([place]), [only(row), turn("resp_1")]
    told = [unsaved.keep(outcome) for outcome in outcomes]
    (file,) = place.parent.iterdir()
    assert told == [f"It is kept in {file} and will be stored as soon as that is possible."] * 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Outcome) for line in lines if line] == outcomes


def test_a_folder_that_cannot_be_written_is_passed_over(place: Path, tmp_path: Path, row: UsageRow) -> None:
    """The next place is taken; where there is none, memory holds it, and that is said."""
    (tmp_path / "file").touch()
    impossible = tmp_path / "file" / "a.db.unsaved"
    assert str(place) in Unsaved([impossible, place]).keep(only(row))
    unsaved = Unsaved([impossible])
    assert unsaved.keep(only(row)).startswith("It is kept in memory")
    assert kept(unsaved) == [row.id]


def test_there_is_a_limit_in_number_and_size(place: Path, row: UsageRow) -> None:
    """What finds no room is counted, and whoever hands it over hears that it is lost."""
    few, small = Unsaved([place], most=1), Unsaved([place], most_bytes=2_000)
    told = [unsaved.keep(only(replace(row, model="x" * size))) for unsaved in (few, small) for size in (1, 3_000)]
    assert [sentence.startswith("It is lost: 1 others wait") for sentence in told] == [False, True, False, True]
    assert (few.dropped, small.dropped, len(few), len(small)) == (1, 1, 1, 1)


def test_files_of_ended_processes_are_taken_over(place: Path, row: UsageRow) -> None:
    """All their whole lines are, and a line that broke off spoils no other one."""
    Unsaved([place]).keep(only(replace(row, id="a")))
    (file,) = place.parent.iterdir()
    with file.open("ab") as broken:
        broken.write(b'\n{"rows":[{"id')
    file.write_bytes(file.read_bytes() + b"\n" + msgspec.json.encode(only(replace(row, id="b"))))
    Unsaved([place]).keep(only(replace(row, id="c")))
    unsaved = Unsaved([place])
    unsaved.load()
    assert sorted(kept(unsaved)) == ["a", "b", "c"]
    unsaved.forget(range(3))
    assert (len(unsaved), list(place.parent.iterdir())) == (0, [])


def test_a_link_is_not_taken_over(place: Path, tmp_path: Path, row: UsageRow) -> None:
    """In a folder that others may write to, a file that isn't plainly ours is left alone."""
    Unsaved([tmp_path / "elsewhere"]).keep(only(row))
    (file,) = tmp_path.iterdir()
    place.with_name(f"{place.name}-1.jsonl").symlink_to(file)
    unsaved = Unsaved([place])
    unsaved.load()
    assert kept(unsaved) == []


async def test_what_was_saved_may_be_saved_again(database: Database, row: UsageRow) -> None:
    """A write that was given up may have gone through, before or after: nothing is there twice, nothing is changed."""
    outcome = replace(turn("resp_1"), rows=(row,))
    for late in (False, True, True):
        await database.write(partial(save, outcome=outcome, late=late))
    with pytest.raises(IntegrityError):
        await database.write(partial(save, outcome=outcome))
    assert await database.read(usage.rows) == [row]
    assert await database.read(partial(responses.chain, head="resp_1", user="ann")) == (outcome.response,)


async def test_a_conversation_that_is_gone_is_made_again(database: Database) -> None:
    """An answer isn't lost because its conversation is: the database may be a new one."""
    await database.write(partial(save, outcome=turn("resp_1")))
    (found,) = await database.read(partial(conversations.recent, user="ann", limit=9))
    assert (found.id, found.agent, found.head) == ("conv_1", "bot", "resp_1")


async def test_a_late_turn_leaves_a_conversation_that_went_on(database: Database) -> None:
    """It is stored, but the newest turn stays the newest; where it is the newest itself, it becomes it."""
    for outcome in (turn("resp_1"), turn("resp_3", parent="resp_1", minute=3)):
        await database.write(partial(save, outcome=outcome))
    await database.write(partial(save, outcome=turn("resp_2", parent="resp_1", minute=2), late=True))
    assert await database.read(head) == "resp_3"
    await database.write(partial(save, outcome=turn("resp_4", parent="resp_3", minute=1), late=True))
    assert await database.read(head) == "resp_4"


def test_what_waits_can_be_read(place: Path) -> None:
    """The next turn follows what couldn't be stored; another user finds nothing."""
    unsaved = Unsaved([place])
    begun = conversations.new(user="ann", title="Sky")
    turns = (
        turn("resp_1", conversation=begun.id),
        turn("resp_2", parent="resp_1", conversation=begun.id),
    )
    for outcome in (Outcome(conversation=begun), *turns):
        unsaved.keep(outcome)
    assert unsaved.conversation(begun.id, "ann") == replace(begun, head="resp_2")
    assert [each.response.id for each in unsaved.chain("resp_2", "ann")] == ["resp_1", "resp_2"]
    assert (unsaved.conversation(begun.id, "bob"), unsaved.chain("resp_2", "bob")) == (None, ())


def test_places_differ_between_databases(tmp_path: Path) -> None:
    """A file lies beside a SQLite database, and in the home folder for a server; no path shows a password."""
    environ = {"AGENTBENCH_HOME": str(tmp_path / "home")}
    sqlite, *_ = spill_places(make_url(f"sqlite:///{tmp_path}/a.db"), environ)
    urls = ("postgresql://ann:geheim@host/a", "postgresql://ann:geheim@host/b")
    one, other = ([str(each) for each in spill_places(make_url(url), environ)] for url in urls)
    assert sqlite == tmp_path / "a.db.unsaved"
    assert one[0].startswith(str(tmp_path / "home"))
    assert set(one).isdisjoint(other)
    assert "geheim" not in "".join(one)
