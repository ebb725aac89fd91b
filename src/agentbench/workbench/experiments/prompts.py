"""The prompts of an experiment: texts, a column of them, or a template that the rows of a table fill."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Prompt", "filled", "prompts_of"]

_COLUMN = re.compile(r"\{\{\s*(.+?)\s*\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, the row that it was made from, and why it can't be asked, if it can't."""

    text: str
    inputs: dict[str, Any] = field(default_factory=dict)
    missing: str = ""


def prompts_of(prompts: Any, over: Any = None) -> list[Prompt]:
    """Return what is to be asked: a text, several, a Series, or with `over`, a DataFrame or Series, a template.

    A missing or empty text, and a row that misses a value of the template, can't be asked and say so.
    """
    if over is not None:
        return _rows(prompts, over)
    if hasattr(prompts, "columns"):
        raise InvalidRequest("A DataFrame is no prompt. Give a column, or a template with over=df.", param="prompts")
    if isinstance(prompts, str):
        return [_plain(prompts)]
    if hasattr(prompts, "isna"):
        from agentbench.frames.trials import values_of

        prompts = values_of(prompts)
    return [_plain(each) for each in prompts]


def filled(template: str, row: Mapping[str, Any]) -> str:
    """Return a template with a row's values in it; nothing where there is none. Raises `KeyError`."""
    return _COLUMN.sub(lambda found: "" if row[found[1]] is None else str(row[found[1]]), template)


def _columns_in(template: str, columns: Sequence[str]) -> list[str]:
    """Return the columns that a template names, each once.

    Raises `UnknownName` for one that there isn't, `InvalidRequest` if it names none.
    """
    named = list(dict.fromkeys(_COLUMN.findall(template)))
    if not named:
        example = next(iter(columns), "text")
        message = f"The template names no column. Write {{{{{example}}}}} where its value goes."
        raise InvalidRequest(message, param="template")
    for name in named:
        if name not in columns:
            raise UnknownName("column", name, columns, param="template")
    return named


def _rows(template: Any, over: Any) -> list[Prompt]:
    from agentbench.frames.trials import rows_of

    if not isinstance(template, str):
        raise InvalidRequest("With over=, the prompt is one template with {{column}} in it.", param="prompts")
    columns, rows = rows_of(over)
    named = _columns_in(template, columns)
    return [_row(template, named, row) for row in rows]


def _row(template: str, named: Sequence[str], row: dict[str, Any]) -> Prompt:
    lacking = [name for name in named if row[name] is None]
    missing = f"Nothing to ask: there is no value in {', '.join(lacking)}." if lacking else ""
    return Prompt(filled(template, row), row, missing)


def _plain(text: Any) -> Prompt:
    if text is None or (isinstance(text, str) and not text.strip()):
        return Prompt(text or "", missing="Nothing to ask: the prompt is empty.")
    if not isinstance(text, str):
        raise InvalidRequest(f"A prompt is a text, not {type(text).__name__}.", param="prompts")
    return Prompt(text)
