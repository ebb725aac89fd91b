"""Where the turns of a conversation stand when it is drawn as a tree, and which are left out of a large one.

The branch that goes on runs straight down; what branches off stands further in, below the turn that it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Line", "lines_of"]

MOST_LINES = 100
_DEEPEST = 8
_NEAR = 10
"""Turns of the branch that goes on that are shown in any case, the newest ones."""


class Line(NamedTuple):
    """A turn, how far in it stands, and whether it is in the branch that goes on; or how many are `left_out` here.

    The first turn of a branch `begins` it.
    """

    number: int
    depth: int
    is_current: bool
    begins: bool = False
    left_out: int = 0


def lines_of(after: Mapping[int, int], current: Sequence[int]) -> list[Line]:
    """Return the lines of a tree from top to bottom.

    `after` says which turn a turn follows, by their numbers; 0 is the beginning, which has a line if several follow it
    or the conversation goes on there. `current` are the turns of the branch that goes on, oldest first.
    """
    following: dict[int, list[int]] = {}
    for number, before in after.items():
        following.setdefault(before, []).append(number)
    if not after:
        return []
    shows_beginning = len(following.get(0, ())) > 1 or not current
    lines = list(_walked(following, set(current)))[0 if shows_beginning else 1 :]
    return list(_shortened(lines, _chosen(lines, following, current)))


def _walked(following: Mapping[int, list[int]], current: set[int]) -> Iterator[Line]:
    """Yield all lines, without recursion: a conversation may be long."""
    newest = _newest(following)
    waiting = [(0, 0, True)]
    while waiting:
        number, depth, begins = waiting.pop()
        yield Line(number, min(depth, _DEEPEST), number in current or number == 0, begins)
        below = sorted(following.get(number, ()), key=lambda each: (each in current, newest[each]))
        if below:
            waiting.append((below[-1], depth, False))
            waiting += [(each, depth + 1, True) for each in sorted(below[:-1], reverse=True)]


def _newest(following: Mapping[int, list[int]]) -> dict[int, int]:
    """Return for each turn the newest at or below it."""
    order = [0]
    for number in order:
        order += following.get(number, ())
    newest: dict[int, int] = {}
    for number in reversed(order):
        newest[number] = max([number, *(newest[each] for each in following.get(number, ()))])
    return newest


def _chosen(lines: Sequence[Line], following: Mapping[int, list[int]], current: Sequence[int]) -> set[int]:
    """Return the numbers of the turns to show: where one is, then where branches part and end, then the newest."""
    if len(lines) <= MOST_LINES:
        return {line.number for line in lines}
    near = {lines[0].number, *current[-_NEAR:]}
    ends = {number for number in (line.number for line in lines) if len(following.get(number, ())) != 1}
    parts = {each for below in following.values() if len(below) > 1 for each in below} | ends
    ranked = sorted(lines, key=lambda line: (line.number in near, line.number in parts, line.number), reverse=True)
    return {line.number for line in ranked[:MOST_LINES]}


def _shortened(lines: Iterable[Line], chosen: set[int]) -> Iterator[Line]:
    """Yield the chosen lines, and one in place of each stretch of others."""
    gap: list[Line] = []
    for line in lines:
        if line.number not in chosen:
            gap.append(line)
            continue
        if gap:
            yield _gap(gap)
        gap = []
        yield line
    if gap:
        yield _gap(gap)


def _gap(lines: Sequence[Line]) -> Line:
    first, depth = lines[0], min(line.depth for line in lines)
    begins = first.begins and first.depth == depth
    return Line(first.number, depth, any(line.is_current for line in lines), begins, len(lines))
