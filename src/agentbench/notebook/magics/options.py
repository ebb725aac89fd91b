"""The options of a magic: a table per command, and a parser that stops where the prompt begins.

A prompt is never read as options: parsing ends at the first word that isn't one, or after `--`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agentbench.errors import InvalidRequest, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Option", "first_word", "parse", "whole_name"]

Completes = Literal[
    "agents",
    "answerers",
    "assistants",
    "models",
    "tools",
    "variables",
    "columns",
    "conversations",
    "collections",
    "cassettes",
]
_WORD = re.compile(r"""\s*((?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+)""")
_LOOKS_LIKE_OPTION = re.compile(r"-[a-zA-Z]$|--[a-zA-Z][\w-]*$")


class Option(NamedTuple):
    """One option. `value` is its placeholder in help texts; without one it is a switch."""

    names: tuple[str, ...]
    help: str
    value: str | None = None
    convert: Callable[[str], Any] = str
    completes: Completes | None = None

    @property
    def key(self) -> str:
        """The name under which a command finds its value."""
        return self.names[-1].lstrip("-").replace("-", "_")

    @property
    def usage(self) -> str:
        """The option as help texts show it."""
        return "/".join(self.names) + (f" {self.value}" if self.value else "")


def parse(line: str, options: Sequence[Option]) -> tuple[dict[str, Any], str]:
    """Return the options' values by key, and the rest of the line as it was written.

    Raises `InvalidRequest` for an unknown option (with the nearest known one), a missing or a wrong value.
    """
    by_name = {name: option for option in options for name in option.names}
    values: dict[str, Any] = {}
    position = 0
    while (found := _WORD.match(line, position)) is not None:
        word, _, joined = found[1].partition("=") if found[1].startswith("--") else (found[1], "", "")
        if word == "--":
            return values, line[found.end() :].strip()
        if not _LOOKS_LIKE_OPTION.match(word):
            break
        option = _known(word, by_name)
        position = found.end()
        if option.value is None:
            if joined:
                raise InvalidRequest(f"{word} takes no value. Write it alone.")
            values[option.key] = True
            continue
        if not joined:
            found = _WORD.match(line, position)
            if found is None:
                raise InvalidRequest(f"{word} needs a value: {option.usage}.")
            position, joined = found.end(), found[1]
        values[option.key] = _converted(option, word, _unquoted(joined))
    return values, line[position:].strip()


def first_word(line: str) -> tuple[str, str]:
    """Return a line's first word, out of its quotes, and the rest as it was written."""
    found = _WORD.match(line)
    return ("", line.strip()) if found is None else (_unquoted(found[1]), line[found.end() :].strip())


def whole_name(text: str) -> str:
    """Return a name that is all there is: as it was written, or out of its quotes."""
    word, more = first_word(text)
    return text.strip() if more else word


def _known(word: str, by_name: dict[str, Option]) -> Option:
    if word in by_name:
        return by_name[word]
    close = nearest(word, by_name)
    hint = f"Did you mean {close}?" if close else f"Known: {', '.join(by_name) or 'none'}."
    raise InvalidRequest(f"There is no option {word}. {hint} A prompt that begins with a dash goes after --.")


def _converted(option: Option, word: str, text: str) -> Any:
    try:
        return option.convert(text)
    except ValueError:
        raise InvalidRequest(f"{word} {text}: that is not a valid {option.value}.") from None


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", word[1:-1]) if word[0] == '"' else word[1:-1]
    return word
