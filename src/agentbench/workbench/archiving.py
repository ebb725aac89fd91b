"""Conversations as files: a workbench writes them, and takes in those that other programs wrote."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex, cast

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.storage import imported, responses
from agentbench.workbench.branching import Branching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from agentbench.archives.reading import Read
    from agentbench.archives.values import Archived, Problem
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.imported import TakenIn
    from agentbench.storage.responses import StoredResponse
    from agentbench.workbench.workbench import Workbench

__all__ = ["Archiving", "Imported"]

_AT_ONCE = 50
"""Conversations to a transaction."""
_MOST_SHOWN = 10
_KNOWN = "LibreChat, Open WebUI, ChatGPT, messages of Chat Completions, logs of Responses, and archives of agentbench"


class Imported(list["Conversation"]):
    """The conversations that came of a file, as they are here now; printed, it says what became of everything.

    `problems` are the entries that could not be read, `notes` what isn't as it was and how often.
    """

    def __init__(self, taken: Iterable[TakenIn], read: Read, notes: Mapping[str, int]) -> None:
        taken = list(taken)
        super().__init__({each.conversation.id: each.conversation for each in taken}.values())
        self.turns = sum(each.added for each in taken)
        self.present = sum(not each.added for each in taken)
        self.problems: tuple[Problem, ...] = tuple(read.problems)
        self.notes = dict(notes)
        self.formats = dict(read.formats)

    def __repr__(self) -> str:
        formats = ", ".join(self.formats) or "no known format"
        said = [f"{_count(len(self), 'conversation')} from {formats}: {_count(self.turns, 'new turn')}."]
        if self.present:
            said.append(f"{_count(self.present, 'conversation')} had nothing new.")
        said += [f"Note: {what} ({count:,})." for what, count in self.notes.items()]
        said += [f"Not read: {each.place}: {each.reason}." for each in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            said.append(f"Not read: {len(self.problems) - _MOST_SHOWN:,} more; see `problems`.")
        return "\n".join(said)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[list[Conversation]], tuple[list[Conversation]]]:
        return list, (list(self),)


class Archiving(Branching):
    """Writes conversations into files, and reads them from files."""

    def export_conversation(
        self, conversation: Conversation | str, path: Path | str, *, branches: bool = False, title: str | None = None
    ) -> Path:
        """Write a conversation into a file and return its path; the suffix says how.

        `.ipynb` is a notebook that asks it again, `.md` and `.html` are for readers, `.jsonl` for fine-tuning, and
        `.json` holds all there is, to be imported again. `branches` asks for more than the current one. Raises
        `UnknownName` if there is no such conversation, `InvalidRequest` where the file can't be written.
        """
        from agentbench.notebook.export import write_conversations

        bench = cast("Workbench", self)
        return write_conversations(bench, [self._found(conversation)], Path(path), branches=branches, title=title)

    def import_conversations(self, source: Path | str | bytes) -> Imported:
        """Take in the conversations of a file, or of its content as bytes, and return them as they are here.

        What the file is is found out by its content: an export of LibreChat, Open WebUI or ChatGPT (also its ZIP),
        messages of Chat Completions, a log of Responses, or an archive of ours. Importing it again adds what is new
        in it, and doubles nothing. The ledger gets no rows. What is left out is told in what is returned.
        Raises `InvalidRequest` where the file can't be read, or is none of these.
        """
        from agentbench.archives.reading import read
        from agentbench.archives.values import Malformed

        data = source if isinstance(source, bytes) else _content(Path(source))
        try:
            found = read(data, KERNEL.user)
        except Malformed as error:
            name = "This" if isinstance(source, bytes) else str(source)
            raise InvalidRequest(f"{name} can't be imported: {error}. Known are {_KNOWN}.") from None
        notes = Counter(note for each in found.found for note in each.notes)
        known = [self._with_agent(each, notes) for each in found.found]
        taken: list[TakenIn] = []
        for start in range(0, len(known), _AT_ONCE):
            taken += self._write(partial(_take_in, archived=known[start : start + _AT_ONCE]))
        return Imported(taken, found, notes)

    def archived(self, conversation: Conversation | str) -> Archived:
        """Return a conversation with the turns of all its branches, each after the one that it follows."""
        from agentbench.archives.values import Archived

        found = self._found(conversation)
        ids = [link.id for link in self.branches(found).links]
        stored = self._database.read_now(partial(_turns, ids=ids))
        kept = self._database.unsaved.turns(found.id, KERNEL.user)
        by_id = {turn.response.id: turn for turn in (*stored, *kept)}
        return Archived(conversation=found, turns=tuple(by_id[key] for key in ids if key in by_id))

    def _with_agent(self, each: Archived, notes: Counter[str]) -> Archived:
        """Return a conversation without an agent that isn't here, so that the default one goes on with it."""
        from msgspec.structs import replace

        name = each.conversation.agent
        if name is None:
            return each
        try:
            self.find_agent(name)
        except UnknownName:
            notes[f"the agent {name!r} isn't here, the default one goes on"] += 1
            return replace(each, conversation=replace(each.conversation, agent=None))
        return each


def _take_in(connection: Connection, archived: Sequence[Archived]) -> list[TakenIn]:
    return [imported.take_in(connection, each.conversation, each.turns) for each in archived]


def _turns(connection: Connection, ids: Sequence[str]) -> list[StoredResponse]:
    return responses.several(connection, ids, KERNEL.user)


def _content(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{path} can't be read: {error.strerror or error}.") from None


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
