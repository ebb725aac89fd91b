"""Keys of a YAML text as lines: put in, taken out and replaced, so that comments around them stay where they are.

It works where mappings and lists are written in lines, not between brackets. Whether the text then says what it
should, `edit.py` looks up.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.util import load_yaml_guess_indent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ruamel.yaml.comments import CommentedSeq

    from agentbench.config.problem import KeyPath

__all__ = ["YamlText"]

_WIDTH = 4096  # no line is broken that wasn't


class YamlText:
    """A YAML text, its values as ruamel reads them, and its way to indent."""

    def __init__(self, text: str) -> None:
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = _WIDTH
        data, sequence, dash = load_yaml_guess_indent(text, yaml=self._yaml)
        mapping = _mapping_indent(text)
        self._yaml.indent(mapping=mapping, sequence=sequence or mapping, offset=dash or 0)
        self.data: Any = {} if data is None else data
        self._lines = text.splitlines(keepends=True)

    def dumped(self) -> str:
        """Return the text of the values as they are now."""
        return self._dump(self.data)

    def without(self, mapping: CommentedMap, key: str) -> str | None:
        """Return the text with a key of a mapping taken out; None where it isn't in lines of its own."""
        place = self._lines_of(mapping, key)
        return None if place is None or len(mapping) == 1 else self._spliced(place, [])

    def replaced(self, mapping: CommentedMap, key: str, value: Any) -> str | None:
        """Return the text with another value for a key; None where it isn't in lines of its own."""
        place = self._lines_of(mapping, key)
        return None if place is None else self._spliced(place, self._written({key: value}, mapping.lc.key(key)[1]))

    def added(self, mapping: CommentedMap, key: str, value: Any) -> str | None:
        """Return the text with a key more at a mapping's end; None where it isn't written in lines."""
        last = next(reversed(mapping), None)
        place = None if last is None else self._lines_of(mapping, last, dash_is_fine=True)
        if place is None:
            return None
        return self._spliced(range(place.stop, place.stop), self._written({key: value}, mapping.lc.key(last)[1]))

    def relisted(self, items: CommentedSeq, wanted: Sequence[Any]) -> str | None:
        """Return the text with other items in a list, of which those that stay keep their lines.

        None where it isn't in lines of its own.
        """
        if items.fa.flow_style() or not items or not wanted:
            return None
        places = [self._item_lines(items, index) for index in range(len(items))]
        above = [0, *(place.stop for place in places)]
        above[0] = places[0].start
        changes = SequenceMatcher(None, [*map(repr, items)], [*map(repr, wanted)]).get_opcodes()
        out: list[str] = []
        for tag, first, last, begin, end in changes:
            for index in range(first, last):  # comments stay, whatever becomes of the item below them
                out += self._lines[above[index] : places[index].stop if tag == "equal" else places[index].start]
            if tag != "equal":
                column = items.lc.item(0)[1] - 2
                out += [line for each in wanted[begin:end] for line in self._written([each], column)]
        return self._spliced(range(places[0].start, places[-1].stop), out)

    def grafted(self, path: KeyPath, other: YamlText) -> str | None:
        """Return the text with the lines that another text has for the key at `path`, or for one above it."""
        for length in range(len(path), 0, -1):
            here, there = self._place(path[:length]), other._place(path[:length])
            if here is not None and there is not None:
                lines = other._lines[there[0].start : there[0].stop]
                return self._spliced(here[0], [_shifted(line, here[1] - there[1]) for line in lines])
        return None

    def _place(self, path: KeyPath) -> tuple[range, int] | None:
        """Return the lines and the column of a key; None where it isn't in lines of its own."""
        parent: Any = self.data
        for part in path[:-1]:
            parent = parent[part]
        if not isinstance(parent, CommentedMap) or (lines := self._lines_of(parent, path[-1])) is None:
            return None
        return lines, parent.lc.key(path[-1])[1]

    def _lines_of(self, mapping: CommentedMap, key: Any, *, dash_is_fine: bool = False) -> range | None:
        if mapping.fa.flow_style() or key not in (mapping.lc.data or ()):
            return None
        line, column = mapping.lc.key(key)
        before = self._lines[line][:column]
        if before.strip() and not (dash_is_fine and not before.strip("- ")):
            return None
        return range(line, self._end(line, column, dash=True))

    def _item_lines(self, items: CommentedSeq, index: int) -> range:
        line, column = items.lc.item(index)
        return range(line, self._end(line, column - 2, dash=False))

    def _end(self, start: int, column: int, *, dash: bool) -> int:
        """Return after which line what begins at `start` ends: a list may be no deeper than its key."""
        end = start + 1
        for number in range(start + 1, len(self._lines)):
            text = self._lines[number].strip()
            depth = len(self._lines[number]) - len(self._lines[number].lstrip())
            if (depth > column and text) or (dash and depth == column and re.match(r"-( |$)", text)):
                end = number + 1
            elif text and not text.startswith("#"):
                break
        return end

    def _written(self, value: Any, column: int) -> list[str]:
        lines = self._dump(value).splitlines(keepends=True)
        if isinstance(value, list):  # the dash of a list at the top is indented like one within a mapping
            lines = [line.removeprefix(" " * (len(lines[0]) - len(lines[0].lstrip()))) for line in lines]
        return [" " * column + line if line.strip() else line for line in lines]

    def _spliced(self, place: range, lines: list[str]) -> str:
        above = self._lines[: place.start]
        if lines and above and not above[-1].endswith("\n"):
            above[-1] += "\n"
        return "".join([*above, *lines, *self._lines[place.stop :]])

    def _dump(self, value: Any) -> str:
        out = StringIO(newline="")
        self._yaml.dump(value, out)
        return out.getvalue()


def _shifted(line: str, blanks: int) -> str:
    return " " * blanks + line if blanks >= 0 else line.removeprefix(" " * -blanks)


def _mapping_indent(text: str) -> int:
    """Return by how many blanks the first nested key is indented."""
    found = re.search(r"^( *)[^\s#-][^\n]*:[ ]*\n(?:\s*(?:#[^\n]*)?\n)*\1( +)[^\s#-]", text, re.MULTILINE)
    return len(found[2]) if found else 2
