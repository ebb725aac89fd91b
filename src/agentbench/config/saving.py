"""What of a session goes into the file, and what must stay out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.config.changes import Edit, with_edits
from agentbench.config.endpoint import USER_PROVIDED
from agentbench.config.layers import HEADERS
from agentbench.config.masking import secret_texts
from agentbench.config.standing import Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentbench.config.changes import Overrides
    from agentbench.config.config import Config

__all__ = ["file_edits"]


def file_edits(config: Config, session: Iterable[Edit], removals: Iterable[Edit]) -> tuple[list[Edit], list[Edit]]:
    """Return what to write when the session, with these edits too, is saved, and what to keep back.

    Kept back are secrets that the file doesn't hold already, and what each person gives for themselves.
    """
    written = Written(config)
    edits = list(_one_by_one(with_edits(config.session, session)))
    kept = [each for each in edits if _is_kept(each, written)]
    return [*(each for each in edits if each not in kept), *removals], kept


def _one_by_one(overrides: Overrides) -> Iterator[Edit]:
    """Yield headers each by itself: in a session they join those of the file, so they must not replace them there."""
    for block, paths in overrides.items():
        for path, value in paths.items():
            if path == (HEADERS,) and isinstance(value, dict):
                yield from (Edit(block, (HEADERS, name), each) for name, each in value.items())
            else:
                yield Edit(block, path, value)


def _is_kept(edit: Edit, written: Written) -> bool:
    now: Any = written.in_file(edit.block, edit.path)
    known = {text for _, text in secret_texts(now, edit.path)}
    return now == USER_PROVIDED or any(text not in known for _, text in secret_texts(edit.value, edit.path))
