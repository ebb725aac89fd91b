"""The headings of a markdown text: where they are, and which path of them leads to a place."""

from __future__ import annotations

import re
from bisect import bisect_right

__all__ = ["Outline"]

_LINE = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})|(?P<marks>\#{1,6})[ \t]+(?P<title>\S.*)"
    r"|(?P<under>\S.*)\n {0,3}(?P<line>=+|-{2,})[ \t]*$)",
    re.MULTILINE,
)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---[ \t]*$", re.DOTALL | re.MULTILINE)
_NO_TITLE = ("-", "*", "+", ">", "|", "#", "`")  # before a line of dashes, these are a list, a table, a rule


class Outline:
    """`starts` are the offsets of the headings, in order; those in code are none."""

    def __init__(self, text: str) -> None:
        self.starts: list[int] = []
        self._paths: list[tuple[str, ...]] = []
        levels: list[tuple[int, str]] = []
        for start, level, title in _headings(text):
            levels = [each for each in levels if each[0] < level] + [(level, title)]
            self.starts.append(start)
            self._paths.append(tuple(each for _, each in levels))

    def path(self, offset: int) -> str | None:
        """Return the headings that a place is under, as `Guide > Installing`; None above the first."""
        number = bisect_right(self.starts, offset)
        return " > ".join(self._paths[number - 1]) if number else None


def _headings(text: str) -> list[tuple[int, int, str]]:
    found, fence = [], ""
    front = _FRONT_MATTER.match(text)
    for match in _LINE.finditer(text, front.end() if front else 0):
        if mark := match["fence"]:
            if not fence:
                fence = mark
            elif mark.startswith(fence):
                fence = ""
        elif fence:
            continue
        elif match["marks"]:
            found.append((match.start(), len(match["marks"]), match["title"].rstrip("# \t")))
        elif not match["under"].startswith(_NO_TITLE):
            found.append((match.start(), 1 if match["line"].startswith("=") else 2, match["under"].strip()))
    return [each for each in found if each[2]]
