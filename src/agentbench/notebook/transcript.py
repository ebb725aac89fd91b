"""A conversation to read, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.markdown import dollars
from agentbench.notebook.tables import Table
from agentbench.notebook.twins import markdown_twin, plain_twin, question_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import pandas as pd

    from agentbench.storage.conversation_sums import ConversationSums
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse
    from agentbench.workbench import Workbench

__all__ = ["ConversationList", "Transcript"]


class Transcript:
    """The turns of one conversation, oldest first, under its title if it has one to show."""

    def __init__(self, turns: Sequence[StoredResponse], *, title: str | None = None) -> None:
        self.turns = tuple(turns)
        self.title = title

    @classmethod
    def of(cls, bench: Workbench, conversation: Conversation) -> Self:
        """Return what was said in a conversation."""
        title = None if conversation.titled_by == "words" else conversation.title  # it begins with the words
        return cls(bench.turns(conversation), title=title)

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


class ConversationList(Table):
    """Conversations, newest first, each with its number and what it took; the current one is marked."""

    def __init__(
        self, found: Sequence[Conversation], took: Sequence[ConversationSums], current: Conversation | None
    ) -> None:
        self.conversations = tuple(found)
        self.took = tuple(took)
        rows = [
            _row(number, each, sums, is_current=current is not None and each.id == current.id)
            for number, (each, sums) in enumerate(zip(found, took, strict=True), 1)
        ]
        note = "Go on in one: %agent open NUMBER" if rows else "Nothing was said yet."
        super().__init__(
            ("", "title", "agent", "turns", "tokens", "cost", "last used", "conversation"), rows, note=note
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a conversation, with its tokens and cost as numbers."""
        from agentbench.frames.talks import sums_frame

        return sums_frame(self.conversations, self.took)


def _row(number: int, each: Conversation, took: ConversationSums, *, is_current: bool) -> tuple[str | None, ...]:
    return (
        f"{number} ←" if is_current else str(number),
        each.title,
        each.agent,
        f"{took.turns:,}",
        _tokens(took),
        _cost(took),
        f"{each.updated_at.astimezone():%Y-%m-%d %H:%M}",
        each.id,
    )


def _tokens(took: ConversationSums) -> str:
    counts = (took.input_tokens, took.output_tokens)
    if counts == (None, None):
        return ""
    return " → ".join("?" if each is None else f"{each:,}" for each in counts)


def _cost(took: ConversationSums) -> str:
    if took.cost is None:
        return "unknown" if took.unknown else ""
    return f"{'at least ' * bool(took.unknown)}{dollars(took.cost)}"
