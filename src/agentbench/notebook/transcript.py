"""A conversation to read, and the list of them."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from agentbench.notebook import markdown
from agentbench.notebook.blocks import Block, blocks_of, note_of, text_kind
from agentbench.notebook.sanitize import literal
from agentbench.notebook.tables import Table
from agentbench.protocol.items import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse

__all__ = ["Transcript", "conversation_table"]


class Transcript:
    """The turns of one conversation, oldest first, under its title if it has one to show."""

    def __init__(self, turns: Sequence[StoredResponse], *, title: str | None = None) -> None:
        self.turns = tuple(turns)
        self.title = title

    def frame(self) -> pd.DataFrame:
        """Return one row a turn: time, agent, model, question, answer, status."""
        import pandas as pd

        rows = [
            (
                turn.created_at,
                turn.agent,
                turn.response.model,
                _question(turn),
                turn.response.output_text,
                turn.response.status,
            )
            for turn in self.turns
        ]
        return pd.DataFrame(rows, columns=["time", "agent", "model", "question", "answer", "status"])

    def __len__(self) -> int:
        return len(self.turns)

    def __repr__(self) -> str:
        parts = [self.title] if self.title else []
        for turn in self.turns:
            said = markdown.plain(
                blocks_of(turn.response.output, text=text_kind(turn.response)), note=note_of(turn.response)
            )
            parts.append(f"{indent(_question(turn), '> ', lambda _: True)}\n\n{said}")
        return "\n\n".join(parts if self.turns else [*parts, "Nothing was said yet."])

    def _repr_markdown_(self) -> str:
        parts = [f"**{literal(self.title)}**"] if self.title else []
        for turn in self.turns:
            said = markdown.bundle(
                blocks_of(turn.response.output, text=text_kind(turn.response)), note=note_of(turn.response)
            )["text/markdown"]
            parts.append(f"{markdown.bundle([Block('refusal', _question(turn))])['text/markdown']}\n\n{said}")
        return "\n\n---\n\n".join(parts if self.turns else [*parts, "Nothing was said yet."])


def conversation_table(conversations: Sequence[Conversation], current: Conversation | None) -> Table:
    """Return conversations, newest first; the current one is marked."""
    rows = [
        (
            f"{each.id} ←" if current is not None and each.id == current.id else each.id,
            each.title,
            each.agent,
            f"{each.updated_at.astimezone():%Y-%m-%d %H:%M}",
        )
        for each in conversations
    ]
    return Table(("conversation", "title", "agent", "last used"), rows, note="Continue one: %agent use -c ID")


def _question(turn: StoredResponse) -> str:
    items = [item for item in turn.input if isinstance(item, Item)]
    return "\n\n".join(block.text for block in blocks_of(items))
