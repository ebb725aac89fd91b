"""Long tool results made short for the model: their beginning, how much is left out, their end.

Only requests are shortened. What is stored and shown is the whole result.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol.content import InputText
from agentbench.protocol.items import FunctionCallOutput
from agentbench.runner.characters import is_within_character

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse

__all__ = ["shortened", "with_short_results"]

_HEAD = 0.7
_NEAR = 200
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_LONGEST_ESCAPE = 12


def with_short_results(request: CreateResponse, limit: int | None) -> CreateResponse:
    """Return a request in which no tool result has more than `limit` characters of text; None leaves it as it is."""
    if limit is None:
        return request
    items = tuple(_short(item, limit) if isinstance(item, FunctionCallOutput) else item for item in request.input)
    return msgspec.structs.replace(request, input=items)


def _short(item: FunctionCallOutput, limit: int) -> FunctionCallOutput:
    if isinstance(item.output, str):
        return msgspec.structs.replace(item, output=shortened(item.output, limit))
    texts = {place: part.text for place, part in enumerate(item.output) if isinstance(part, InputText)}
    short = _fairly(texts, limit)
    parts = (InputText(text=short[place]) if place in short else part for place, part in enumerate(item.output))
    return msgspec.structs.replace(item, output=tuple(parts))


def _fairly(texts: dict[int, str], limit: int) -> dict[int, str]:
    """Return the texts with `limit` characters together: the long ones share what the short ones leave."""
    out: dict[int, str] = {}
    for place in sorted(texts, key=lambda place: len(texts[place])):
        out[place] = shortened(texts[place], limit // (len(texts) - len(out)))
        limit -= len(out[place])
    return out


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters: of a longer text its head and its tail, with a note of what is missing.

    Cuts lie at line breaks where some are near, and never within a JSON escape or a character as people see it.
    """
    if len(text) <= limit:
        return text
    room = limit - len(_note(len(text), len(text)))
    if room <= 0:
        return text[: _back(text, limit)]
    head = math.ceil(room * _HEAD)
    end, begin = _head_end(text, head), _tail_begin(text, len(text) - (room - head))
    return f"{text[:end]}{_note(begin - end, len(text))}{text[begin:]}"


def _note(missing: int, whole: int) -> str:
    return f"\n\n[... {missing:,} of {whole:,} characters left out ...]\n\n"


def _head_end(text: str, end: int) -> int:
    line = text.rfind("\n", max(end - _NEAR, end // 2), end)
    return _back(text, end) if line < 0 else line + 1


def _tail_begin(text: str, begin: int) -> int:
    line = text.find("\n", begin, min(begin + _NEAR, (begin + len(text)) // 2))
    return _forth(text, begin) if line < 0 else line + 1


def _back(text: str, place: int) -> int:
    while is_within_character(text, place):
        place -= 1
    return _around(text, place)[0]


def _forth(text: str, place: int) -> int:
    place = _around(text, place)[1]
    while is_within_character(text, place):
        place += 1
    return place


def _around(text: str, place: int) -> tuple[int, int]:
    """Return where the JSON escape begins and ends that a cut at `place` would break; twice `place` if it breaks none.

    It is looked for from the first of the backslashes before it: only from there is it clear which one escapes which.
    """
    before = text[: max(0, place - _LONGEST_ESCAPE)]
    for escape in _ESCAPE.finditer(text, len(before.rstrip("\\")), place + _LONGEST_ESCAPE):
        if escape.start() < place < escape.end():
            return escape.span()
    return place, place
