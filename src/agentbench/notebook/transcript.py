"""A conversation to read, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.tables import Table
from agentbench.notebook.twins import markdown_twin, plain_twin, question_of

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
                question_of(turn),
                turn.response.output_text,
                turn.response.status,
            )
            for turn in self.turns
        ]
        return pd.DataFrame(rows, columns=["time", "agent", "model", "question", "answer", "status"])

    def __len__(self) -> int:
        return len(self.turns)

    def __repr__(self) -> str:
        return plain_twin(self.title, self.turns)

    def _repr_markdown_(self) -> str:
        return markdown_twin(self.title, self.turns)


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
