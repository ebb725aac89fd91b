"""What turns say, for tests to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning

if TYPE_CHECKING:
    from agentbench.archives.values import Archived
    from agentbench.protocol import InputItem
    from agentbench.storage.responses import StoredResponse

__all__ = ["answer", "question", "tree"]


def question(turn: StoredResponse) -> list[str]:
    """Return what a turn was asked, an entry a message."""
    return [_words(item) for item in turn.input]


def answer(turn: StoredResponse) -> list[str]:
    """Return what a turn answered, an entry an item."""
    return [_words(item) for item in turn.response.output]


def tree(archived: Archived) -> dict[str, str | None]:
    """Return which answer follows which, by their texts."""
    texts = {turn.response.id: turn.response.output_text for turn in archived.turns}
    return {texts[turn.response.id]: None if turn.parent is None else texts[turn.parent] for turn in archived.turns}


def _words(item: InputItem) -> str:
    match item:
        case Message():
            return f"{item.role}: {item.text}{item.refusal}"
        case Reasoning():
            return f"thought: {item.text}"
        case FunctionCall():
            return f"{item.name}({item.arguments})"
        case FunctionCallOutput():
            return f"-> {item.output}"
    return type(item).__name__
