"""An inspected run as tables: what stays in the notebook when the live view is gone, and what a terminal shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from agentbench.notebook.records import Record
from agentbench.notebook.sanitize import literal
from agentbench.notebook.tables import Table
from agentbench.protocol.grammar import violation_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.notebook.inspector.look import Look
    from agentbench.notebook.inspector.timeline import Lane, Timeline

__all__ = ["record_of", "violations_table"]

_MOST_LANES = 60
_MOST_TYPES = 60
_LONGEST = 80
_COLUMNS = ("item", "start", "first delta", "end", "duration", "deltas")


class _Section(NamedTuple):
    title: str
    table: Table
    bars: Sequence[str] = ()
    folded: bool = False


def record_of(looks: Sequence[Look]) -> Record:
    """Return the record of one run, or of two that are compared."""
    html, markdown, plain = [], [], []
    for look in looks:
        lines, sections = list(_lines(look)), _sections(look)
        title = f"Run of {look.recording.source}"
        html.append(_html(title, lines, sections))
        markdown.append(_markdown(title, lines, sections))
        plain.append(_plain(title, lines, look))
    return Record("".join(html), "\n\n".join(markdown), "\n\n".join(plain))


def violations_table(look: Look) -> Table:
    """Return every violation, with the number of its event, or of its frame where frames were checked."""
    rows = [(each.rule, each.index, each.message) for each in look.violations]
    return Table(("rule", "event", "message"), rows, note="" if rows else _verdict(look))


def _lines(look: Look) -> Iterable[str]:
    line = look.timeline
    facts = [look.status, f"{len(look.whole.events):,} events"]
    if line.is_measured and line.scale:
        facts += [f"first token {_seconds(line.seconds(line.first_token))}", f"total {_seconds(line.total)}"]
    if line.tokens is not None:
        facts.append(f"{line.tokens[0]:,} input and {line.tokens[1]:,} output tokens")
    yield " · ".join(facts)
    yield from look.recording.notes
    yield _verdict(look)


def _verdict(look: Look) -> str:
    if look.recording.rebuilt:
        return "The grammar was not checked: these events were made again."
    count = len(look.violations)
    broken = len({each.rule for each in look.violations})
    if not count:
        return f"No violation: {len(look.rules)} rules checked."
    return f"{count:,} violation{'s' * (count > 1)} of {broken} of {len(look.rules)} rules."


def _sections(look: Look) -> list[_Section]:
    line = look.timeline
    sections = []
    if line.lanes:
        shown = line.lanes[:_MOST_LANES]
        more = len(line.lanes) - len(shown)
        table = Table(
            _COLUMNS,
            [_lane_row(place, lane, line) for place, lane in enumerate(shown)],
            note=f"{more:,} more items are not shown." if more else "",
        )
        sections.append(_Section("Timeline", table, [_bar(lane, line) for lane in shown]))
    sections.append(_Section("Events by type", _counts(line), folded=True))
    if look.violations:
        table = Table(("rule", "event", "message"), violation_rows(look.violations))
        sections.append(_Section("Violations", table))
    return sections


def _counts(line: Timeline) -> Table:
    rows = [(_short(kind), f"{count:,}") for kind, count in line.counts.items()]
    more = len(rows) - _MOST_TYPES
    note = f"{more:,} more types are not shown." if more > 0 else ""
    return Table(("type", "events"), rows[:_MOST_TYPES], note=note)


def _lane_row(place: int, lane: Lane, line: Timeline) -> tuple[str, ...]:
    start, end = line.seconds(lane.begins), line.seconds(lane.ends)
    duration = None if start is None or end is None else end - start
    times = (start, line.seconds(lane.first), end, duration)
    return (_name(place, lane), *map(_seconds, times), f"{lane.deltas:,}")


def _name(place: int, lane: Lane) -> str:
    return _short(f"{place} {lane.kind} {lane.name}".rstrip())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


# -- HTML -----------------------------------------------------------------------------------------------------------


def _bar(lane: Lane, line: Timeline) -> str:
    """Return an item's stretch of the whole run; the part before its first delta is fainter.

    It is made of borders, which have the text's colour in every theme.
    """
    whole = line.scale[-1] or 1
    begins, last = line.scale[lane.begins], line.scale[-1 if lane.ends is None else lane.ends]
    first = begins if lane.first is None else line.scale[lane.first]
    shares = [100 * each / whole for each in (begins, first - begins, max(last - first, whole / 200))]
    opacities = (0, 0.3, 0.75)
    parts = "".join(
        f'<div style="width:{share:.1f}%;border-top:8px solid;opacity:{opacity}"></div>'
        for share, opacity in zip(shares, opacities, strict=True)
    )
    return f'<div style="display:flex;width:220px;padding:5px 0">{parts}</div>'


def _html(title: str, lines: Sequence[str], sections: Sequence[_Section]) -> str:
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<section><p><strong>{escape(title)}</strong></p>{told}{''.join(map(_html_section, sections))}</section>"


def _html_section(section: _Section) -> str:
    columns = section.table.columns + (["when"] if section.bars else [])
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in columns)
    bars = section.bars or [""] * len(section.table.rows)
    rows = "".join(map(_html_row, section.table.rows, bars))
    note = f"<p>{escape(section.table.note)}</p>" if section.table.note else ""
    return (
        f"<details{'' if section.folded else ' open'}><summary>{section.title}</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}</details>"
    )


def _html_row(row: Sequence[str], bar: str) -> str:
    first, *others = map(escape, row)
    cells = "".join(f"<td>{each}</td>" for each in others)
    return f'<tr><th scope="row">{first}</th>{cells}{f"<td>{bar}</td>" if bar else ""}</tr>'


# -- text -----------------------------------------------------------------------------------------------------------


def _markdown(title: str, lines: Sequence[str], sections: Sequence[_Section]) -> str:
    tables = [f"**{each.title}**\n\n{each.table._repr_markdown_()}" for each in sections]
    return "\n\n".join([f"**{literal(title)}**", *map(literal, lines), *tables])


def _plain(title: str, lines: Sequence[str], look: Look) -> str:
    parts = ["\n".join([title, *lines])]
    if look.timeline.is_measured and look.timeline.scale:
        parts.append(repr(Table(("phase", "from", "time"), list(_phases(look.timeline)))))
    if look.violations:
        parts.append(repr(Table(("rule", "event", "message"), violation_rows(look.violations))))
    return "\n\n".join(parts)


def _phases(line: Timeline) -> Iterable[tuple[str, str, str]]:
    """Yield what the time went by with: the waits, then each item."""
    yield ("until the first event", _seconds(0.0), _seconds(line.scale[0]))
    if line.first_token is not None:
        yield ("until the first token", _seconds(0.0), _seconds(line.scale[line.first_token]))
    for place, lane in enumerate(line.lanes):
        start, end = line.scale[lane.begins], line.scale[-1 if lane.ends is None else lane.ends]
        yield (_name(place, lane), _seconds(start), _seconds(end - start))
    yield ("all", _seconds(0.0), _seconds(line.total))
