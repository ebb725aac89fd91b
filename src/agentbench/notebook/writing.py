"""Writes conversations into files that are no pages: notebooks, Markdown, archives, lines for fine-tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.archives import archive, chat_messages, notebook_file
from agentbench.archives.branching import branches
from agentbench.errors import InvalidRequest
from agentbench.notebook.asking_cells import cells_of
from agentbench.notebook.sanitize import literal
from agentbench.notebook.twins import markdown_twin, turn_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.archives.values import Archived
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench import Workbench

__all__ = ["SUFFIXES", "text_of"]


def text_of(
    bench: Workbench,
    conversations: Sequence[Conversation],
    suffix: str,
    *,
    all_branches: bool = False,
    title: str | None = None,
) -> str:
    """Return conversations as the text of a file with that suffix; only the current branch, unless asked for all."""
    archived = [bench.archived(each) for each in conversations]
    return _WRITERS[suffix](bench, archived, all_branches, title)


def _notebook(bench: Workbench, archived: Sequence[Archived], all_branches: bool, title: str | None) -> str:  # noqa: FBT001 - the table's shape
    if len(archived) > 1:
        raise InvalidRequest("A notebook holds one conversation. Export each into a file of its own.")
    return notebook_file.text(cells_of(bench, archived[0], all_branches=all_branches, title=title))


def _markdown(bench: Workbench, archived: Sequence[Archived], all_branches: bool, title: str | None) -> str:  # noqa: FBT001 - the table's shape
    several = len(archived) > 1
    parts = [f"# {literal(title)}"] if title and several else []
    for each in archived:
        found = each.conversation
        rows = turn_rows(bench.calls(found))
        current, *others = branches(each)
        named = (None if several else title) or found.title or "Conversation"
        parts += [f"# {literal(named)}", _about(found), markdown_twin(None, current, rows)]
        for number, branch in enumerate(others if all_branches else (), 2):
            parts += [f"## Branch {number}", markdown_twin(None, branch, rows)]
        if others and not all_branches:
            parts.append(f"*Not here: {len(others)} more of its branches.*")
    return "\n\n".join(parts) + "\n"


def _about(conversation: Conversation) -> str:
    agent = f" · {literal(conversation.agent)}" if conversation.agent else ""
    return f"*{conversation.created_at:%Y-%m-%d %H:%M} UTC{agent}*"


def _archive(bench: Workbench, archived: Sequence[Archived], all_branches: bool, title: str | None) -> str:  # noqa: ARG001, FBT001 - the table's shape
    return archive.text(archived)


def _lines(bench: Workbench, archived: Sequence[Archived], all_branches: bool, title: str | None) -> str:  # noqa: ARG001, FBT001 - the table's shape
    found = [branches(each) if all_branches else branches(each)[:1] for each in archived]
    lines = [line for several in found for branch in several if (line := chat_messages.line(branch))]
    return "".join(f"{line}\n" for line in lines)


_WRITERS: dict[str, Callable[[Workbench, Sequence[Archived], bool, str | None], str]] = {
    ".ipynb": _notebook,
    ".json": _archive,
    ".jsonl": _lines,
    ".md": _markdown,
}
SUFFIXES = tuple(_WRITERS)
"""The suffixes of files that can be written here."""
