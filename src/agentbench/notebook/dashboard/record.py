"""A dashboard as tables: what stays in the notebook when the live view is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from html import escape
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agentbench.notebook.dashboard.columns import GROUPS
from agentbench.notebook.dashboard.selection import day_of
from agentbench.notebook.markdown import dollars, seconds
from agentbench.notebook.records import Record
from agentbench.notebook.tables import Table
from agentbench.storage.ledger_tail import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentbench.notebook.dashboard.money import Money
    from agentbench.notebook.dashboard.selection import Selection
    from agentbench.storage.usage_tail import Call, Sums

__all__ = ["EMPTY", "record_of"]

EMPTY = (
    "No calls yet. Ask something, such as %agent chat hello, and it shows up here. Where the dashboard was opened with"
    " a choice, such as --since, only such calls do."
)
NONE_CHOSEN = "None of the calls that are known is in this choice."
MOST_ROWS = 12

_COLUMNS = ("calls", "input tokens", "output tokens", "cost", "errors", "median time")
_NOBODY = {"agent": "no agent", "cell": "outside of a notebook"}


class Section(NamedTuple):
    """A table under a title; `shares` are what its rows' meters show, of what `meter` says."""

    title: str
    table: Table
    shares: Sequence[float] = ()
    meter: str = "used"
    folded: bool = False


def record_of(calls: Sequence[Call], everything: Sums, selection: Selection, money: Money) -> Record:
    """Return the record of the newest calls and the sums of all, as far as they are chosen."""
    chosen = selection.calls(calls)
    notes = list(_notes(calls, everything, selection))
    if not chosen:
        notes.append(NONE_CHOSEN if calls else EMPTY)
    sections = [_totals(chosen)] if chosen else []
    sections += _money(money)
    if chosen:
        sections += [_breakdown(name, chosen, selection.offset) for name in ("model", "agent", "endpoint")]
        sections += [_breakdown(name, chosen, selection.offset) for name in ("cell", "day", "context")]
        sections += _errors(chosen, selection.offset)
    return Record(_html(notes, sections), _markdown(notes, sections), _plain(notes, sections))


def _notes(calls: Sequence[Call], everything: Sums, selection: Selection) -> Iterable[str]:
    """Say what is counted here."""
    yield f"Usage as of {_at(datetime.now(UTC), selection.offset)}"
    if everything.calls > len(calls):
        yield f"Newest {len(calls):,} of {everything.calls:,} calls. The cost of all: {_cost(everything)}"
    if selection.range is not None:
        start, end = (datetime.fromtimestamp(each / 1000, UTC) for each in selection.range)
        yield f"Only from {_at(start, selection.offset)} to {_at(end, selection.offset)}"
    for name, words in selection.filters.items():
        yield f"Only {name}: {', '.join(label(name, word) for word in words)}"


def label(name: str, word: str | None) -> str:
    """Return a group's word as people read it."""
    if word is None:
        return _NOBODY.get(name, "none")
    if name != "cell":
        return word
    notebook, cell, count = msgspec.json.decode(word)
    place = f"[{count}]" if count is not None else (cell or "")[:8]
    return " ".join(part for part in (place, notebook) if part) or "outside of a notebook"


def _totals(calls: Sequence[Call]) -> Section:
    sums = sums_of(calls)
    cached = sum(call.cached_tokens or 0 for call in calls)
    written = sum(call.cache_write_tokens or 0 for call in calls)
    reasoning = sum(call.reasoning_tokens or 0 for call in calls)
    rows = [
        ("calls", f"{sums.calls:,}"),
        ("input tokens", f"{sums.input_tokens:,} ({cached:,} read from the cache, {written:,} written to it)"),
        ("output tokens", f"{sums.output_tokens:,} ({reasoning:,} of reasoning)"),
        ("cost", _cost(sums)),
        ("errors", f"{sums.failed:,}"),
        ("median time", _median(call.duration for call in calls)),
        ("median time to first token", _median(call.time_to_first_token for call in calls)),
    ]
    return Section("Totals", Table(("", "value"), rows))


def _money(money: Money) -> list[Section]:
    sections = []
    for budget in money["budgets"]:
        rows, shares = [], []
        if (usd := budget["limit_usd"]) is not None:
            rows.append(
                ("US dollars", *(dollars(each or 0) for each in (usd, budget["spent_usd"], budget["left_usd"])))
            )
            shares.append(budget["spent_usd"] / usd if usd else 1.0)
        if (tokens := budget["limit_tokens"]) is not None:
            amounts = (tokens, budget["spent_tokens"], budget["left_tokens"])
            rows.append(("tokens", *(f"{each or 0:,}" for each in amounts)))
            shares.append(budget["spent_tokens"] / tokens if tokens else 1.0)
        sections.append(
            Section(budget["name"], Table(("", "limit", "spent", "left"), rows), [min(1.0, each) for each in shares])
        )
    if (balance := money["balance"]) is not None:
        row = (balance["credits_text"], balance["held_text"], balance["refill"])
        sections.append(Section("Balance", Table(("credits", "held by running calls", "refill"), [row])))
    return sections


def _breakdown(name: str, calls: Sequence[Call], offset: int) -> Section:
    word = (lambda call: day_of(call, offset)) if name == "day" else GROUPS[name]
    groups = _grouped(calls, word)
    sums = {each: sums_of(group) for each, group in groups.items()}
    order = sorted(sums, key=(lambda each: each or "") if name == "day" else (lambda each: -_weight(sums[each])))
    if name == "day":
        order.reverse()
    shown = order[:MOST_ROWS]
    rows = [(label(name, each), *_row(sums[each], groups[each])) for each in shown]
    note = f"{len(order) - MOST_ROWS:,} more are not shown." if len(order) > MOST_ROWS else ""
    shares = [_weight(sums[each]) for each in shown]
    every = sum(map(_weight, sums.values())) or 1
    table = Table((name, *_COLUMNS), rows, note=note)
    return Section(f"By {name}", table, [each / every for each in shares], "share of tokens", folded=name != "model")


def _grouped(calls: Sequence[Call], word: Callable[[Call], str | None]) -> dict[str | None, list[Call]]:
    groups: dict[str | None, list[Call]] = {}
    for call in calls:
        groups.setdefault(word(call), []).append(call)
    return groups


def _weight(sums: Sums) -> float:
    """Return what a group is measured by: its tokens."""
    return sums.input_tokens + sums.output_tokens


def _row(sums: Sums, calls: Sequence[Call]) -> tuple[str, ...]:
    tokens = (f"{sums.input_tokens:,}", f"{sums.output_tokens:,}")
    counts = (f"{sums.calls:,}", *tokens, _cost(sums), f"{sums.failed:,}")
    return (*counts, _median(call.duration for call in calls))


def _cost(sums: Sums) -> str:
    """Tell what is known, and how many calls' cost is not."""
    if not sums.unknown:
        return dollars(sums.cost)
    return "unknown" if sums.unknown == sums.calls else f"{dollars(sums.cost)} + {sums.unknown:,} unknown"


def _errors(calls: Sequence[Call], offset: int) -> list[Section]:
    groups = _grouped([call for call in calls if call.status == "failed"], GROUPS["error"])
    rows = [
        (each, f"{len(group):,}", _at(max(call.time for call in group), offset))
        for each, group in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]
    return [Section("Errors", Table(("error", "calls", "last"), rows))] if rows else []


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "unknown"
    value = median(known)
    return f"{value:.3g} s" if value >= 1 else seconds(value)


def _at(moment: datetime, offset: int) -> str:
    return f"{moment.astimezone(timezone(timedelta(milliseconds=offset))):%Y-%m-%d %H:%M}"


def _html(notes: Sequence[str], sections: Sequence[Section]) -> str:
    lines = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return lines + "".join(map(_section, sections))


def _section(section: Section) -> str:
    table, title = section.table, escape(section.title)
    columns = [*table.columns, *([section.meter] if section.shares else [])]
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in columns)
    shares: Sequence[float | None] = section.shares or [None] * len(table.rows)
    rows = "".join(_html_row(row, share) for row, share in zip(table.rows, shares, strict=True))
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    if section.folded:
        return f"<details><summary>{title}</summary><table>{body}{note}</details>"
    return f"<table><caption>{title}</caption>{body}{note}"


def _html_row(row: Sequence[str], share: float | None) -> str:
    first, *others = map(escape, row)
    cells = f'<th scope="row" style="text-align: left">{first}</th>' + "".join(f"<td>{each}</td>" for each in others)
    if share is not None:
        cells += f'<td><meter min="0" max="1" value="{share:.3f}">{share:.0%}</meter></td>'
    return f"<tr>{cells}</tr>"


def _markdown(notes: Sequence[str], sections: Sequence[Section]) -> str:
    parts = [*notes, *(f"**{each.title}**\n\n{each.table._repr_markdown_()}" for each in sections)]
    return "\n\n".join(parts)


def _plain(notes: Sequence[str], sections: Sequence[Section]) -> str:
    return "\n\n".join(["\n".join(notes), *(f"{each.title}\n{each.table!r}" for each in sections)])
