"""What could not be written: kept in memory and in a file of JSON lines until the database can be written again.

Owns that file and the limits. The database decides what is kept, and writes it with its next transaction.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from agentbench.protocol.values import Value
from agentbench.storage import balances, conversations, responses, tables, usage
from agentbench.storage.conversations import Conversation
from agentbench.storage.failures import database_name
from agentbench.storage.home import home_folder
from agentbench.storage.responses import StoredResponse
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import URL, Connection, Table

__all__ = ["Charge", "Outcome", "Unsaved", "save", "spill_places"]

MOST = 10_000
MOST_BYTES = 64 << 20


class Charge(Value, frozen=True, kw_only=True):
    """What a call cost the user who had reserved for it, in microcredits."""

    user: str
    reservation: str
    microcredits: int


class Outcome(Value, frozen=True, kw_only=True):
    """What a turn leaves to store: a new conversation, rows of the ledger with their charges, a response.

    With `is_head` the response becomes its conversation's newest.
    """

    conversation: Conversation | None = None
    rows: tuple[UsageRow, ...] = ()
    charges: tuple[Charge, ...] = ()
    response: StoredResponse | None = None
    is_head: bool = False


def spill_places(url: URL, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where the file may lie: beside the database, or at home for a server's; else among temporary files."""
    name = database_name(url)
    mark = f"agentbench-{sha256(name.encode()).hexdigest()[:16]}.unsaved"
    near = Path(f"{name}.unsaved") if url.drivername == "sqlite" else home_folder(environ) / mark
    return near, Path(gettempdir()) / mark


def save(connection: Connection, outcome: Outcome, *, late: bool = False) -> None:
    """Write an outcome.

    A `late` one may be there already, and it leaves a conversation that went on as it is.
    """
    if outcome.conversation is not None:
        _begin(connection, outcome.conversation)
    for row in outcome.rows:
        if not (late and _is_there(connection, tables.usage, row.id)):
            usage.append(connection, row)
    for charge in outcome.charges:
        balances.settle(connection, charge.user, charge.reservation, charge.microcredits)
    stored = outcome.response
    if stored is None:
        return
    if stored.conversation_id is not None:
        _begin(connection, _conversation_of(stored, stored.conversation_id))  # as the database may be a new one
    responses.save(connection, stored)
    if outcome.is_head and stored.conversation_id is not None and not (late and _went_on(connection, stored)):
        conversations.move_head(connection, stored.conversation_id, stored.response.id)


class Unsaved:
    """Outcomes that wait, oldest first; any thread may use it.

    `places` are the beginnings of paths, tried in turn for the file.
    """

    def __init__(self, places: Sequence[Path], *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._places = places
        self._most = most
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._numbers = count()
        self._kept: dict[int, _Kept] = {}
        self._bytes = 0
        self._files: set[Path] = set()
        self._mark = f"-{uuid4().hex}.jsonl"
        self.dropped = 0
        """How many found no room here."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, outcome: Outcome) -> str:
        """Take an outcome in and return a sentence on what became of it."""
        line = b"\n" + msgspec.json.encode(outcome)  # so that a line that broke off spoils no other one
        with self._lock:
            if not self._add(outcome, len(line)):
                self.dropped += 1
                return f"It is lost: {len(self)} others wait to be stored, and there is no room for more."
            file = self._append(line)
        if file is None:
            return "It is kept in memory until it can be stored, and is lost if this process ends before."
        return f"It is kept in {file} and will be stored as soon as that is possible."

    def load(self) -> None:
        """Take over the files that other processes left. One that still runs keeps its own copy in memory."""
        with self._lock:
            for found in self._left():
                with suppress(OSError):  # another process was faster
                    self._take(found)

    def replay(self, connection: Connection) -> list[int]:
        """Write what is kept and return the numbers of what is to be forgotten after the commit.

        Raises only if the whole transaction is lost.
        """
        with self._lock:
            waiting = dict(self._kept)
        return [number for number, kept in waiting.items() if _is_saved(connection, kept.outcome)]

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of what is in the database now, and of the files when nothing waits any more."""
        with self._lock:
            for number in numbers:
                if (kept := self._kept.pop(number, None)) is not None:
                    self._bytes -= kept.size
            while not self._kept and self._files:
                with suppress(OSError):
                    self._files.pop().unlink()

    def conversation(self, conversation_id: str, user: str) -> Conversation | None:
        """Return the user's conversation as what is kept tells it, with its newest response; None if nothing does."""
        found = None
        for outcome in self._outcomes():
            begun, stored = outcome.conversation, outcome.response
            if begun is not None and (begun.id, begun.user) == (conversation_id, user):
                found = begun
            if stored is None or (stored.conversation_id, stored.user) != (conversation_id, user):
                continue
            if outcome.is_head:
                found = found or _conversation_of(stored, conversation_id)
                found = msgspec.structs.replace(found, head=stored.response.id)
        return found

    def begun(self, user: str) -> list[str]:
        """Return the ids of the user's conversations that something here belongs to, oldest first."""
        ids: dict[str, None] = {}
        for outcome in self._outcomes():
            begun, stored = outcome.conversation, outcome.response
            if begun is not None and begun.user == user:
                ids[begun.id] = None
            if stored is not None and stored.user == user and stored.conversation_id is not None:
                ids[stored.conversation_id] = None
        return list(ids)

    def rows(self, conversation_id: str, user: str) -> list[UsageRow]:
        """Return the calls in a user's conversation that are kept."""
        rows = (row for outcome in self._outcomes() for row in outcome.rows)
        return [row for row in rows if (row.conversation_id, row.user) == (conversation_id, user)]

    def drop(self, conversation_id: str, user: str) -> None:
        """Let go of a user's conversation and its turns; what the ledger is to have of them stays."""
        with self._lock:
            for number, kept in self._kept.items():
                self._kept[number] = kept._replace(outcome=_without(kept.outcome, conversation_id, user))

    def chain(self, head: str | None, user: str) -> tuple[StoredResponse, ...]:
        """Return the kept turns that end in that response, oldest first; the first one's parent is in the database."""
        known = {each.response.response.id: each.response for each in self._outcomes() if each.response is not None}
        turns: list[StoredResponse] = []
        while head in known and known[head].user == user:
            turns.append(known.pop(head))
            head = turns[-1].parent
        return tuple(reversed(turns))

    def turns(self, conversation_id: str, user: str) -> list[StoredResponse]:
        """Return the user's turns of that conversation that are kept, of every branch."""
        found = (outcome.response for outcome in self._outcomes())
        return [each for each in found if each and (each.conversation_id, each.user) == (conversation_id, user)]

    def _outcomes(self) -> list[Outcome]:
        with self._lock:
            return [kept.outcome for kept in self._kept.values()]

    def _add(self, outcome: Outcome, size: int) -> bool:
        if len(self._kept) >= self._most or self._bytes + size > self._most_bytes:
            return False
        self._kept[next(self._numbers)] = _Kept(outcome, size)
        self._bytes += size
        return True

    def _append(self, line: bytes) -> Path | None:
        for place in self._places:
            file = place.with_name(place.name + self._mark)
            with suppress(OSError):
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _append(file, line)
                self._files.add(file)
                return file
        return None

    def _left(self) -> Iterator[Path]:
        for place in self._places:
            for found in place.parent.glob(f"{place.name}-*.jsonl"):
                with suppress(OSError):
                    if found not in self._files and _is_ours(found) and self._fits(found):
                        yield found

    def _fits(self, file: Path) -> bool:
        return self._bytes + file.stat().st_size <= self._most_bytes

    def _take(self, found: Path) -> None:
        file = found.with_name(f"{found.name.rpartition('-')[0]}-{uuid4().hex}.jsonl")
        found.rename(file)  # so that no other process takes it too
        self._files.add(file)
        for line in file.read_bytes().splitlines():
            with suppress(msgspec.DecodeError):  # an empty one, or what a killed process began
                self._add(msgspec.json.decode(line, type=Outcome), len(line))


class _Kept(NamedTuple):
    outcome: Outcome
    size: int


def _without(outcome: Outcome, conversation_id: str, user: str) -> Outcome:
    """Return what is left of an outcome without a conversation of that id and user."""
    begun, stored = outcome.conversation, outcome.response
    if begun is not None and (begun.id, begun.user) == (conversation_id, user):
        outcome = msgspec.structs.replace(outcome, conversation=None)
    if stored is not None and (stored.conversation_id, stored.user) == (conversation_id, user):
        outcome = msgspec.structs.replace(outcome, response=None, is_head=False)
    return outcome


def _append(file: Path, line: bytes) -> None:
    """Add a line in one call, so that another process sees it whole or not at all."""
    number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(number, line) < len(line):
            raise OSError("the disk is full")
    finally:
        os.close(number)


def _is_ours(file: Path) -> bool:
    """Tell whether we made a file: in a folder for all, anybody may have made one of that name."""
    return file.is_file() and not file.is_symlink() and (os.name == "nt" or file.stat().st_uid == os.geteuid())


def _is_saved(connection: Connection, outcome: Outcome) -> bool:
    connection.exec_driver_sql("SAVEPOINT kept")
    try:
        save(connection, outcome, late=True)
    except DBAPIError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT kept")
        return False
    connection.exec_driver_sql("RELEASE SAVEPOINT kept")
    return True


def _is_there(connection: Connection, table: Table, key: str) -> bool:
    return connection.scalar(select(table.c.id).where(table.c.id == key)) is not None


def _begin(connection: Connection, conversation: Conversation) -> None:
    if not _is_there(connection, tables.conversations, conversation.id):
        conversations.add(connection, conversation)


def _conversation_of(stored: StoredResponse, conversation_id: str) -> Conversation:
    """Return what a turn tells of its conversation."""
    time = stored.created_at
    return Conversation(id=conversation_id, user=stored.user, agent=stored.agent, created_at=time, updated_at=time)


def _went_on(connection: Connection, stored: StoredResponse) -> bool:
    """Tell whether a later turn of the conversation is in the database already."""
    conversation = conversations.get(connection, stored.conversation_id or "", stored.user)
    if conversation is None or conversation.head in (None, stored.parent):
        return False
    newest = select(tables.responses.c.created_at).where(tables.responses.c.id == conversation.head)
    time = connection.scalar(newest)
    return time is not None and time > stored.created_at
