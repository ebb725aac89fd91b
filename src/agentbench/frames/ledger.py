"""From the ledger's blocks of text to a `UsageFrame`."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

import msgspec
import numpy as np
import pandas as pd

from agentbench.frames.moments import moment
from agentbench.frames.usage import CATEGORIES, FRACTIONS, TEXTS, UsageFrame
from agentbench.storage import usage_blocks
from agentbench.storage.usage import UsageFilter, UsageRow
from agentbench.storage.usage_blocks import IN_BILLIONTHS, OWN, RATES, SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from pandas.api.extensions import ExtensionArray

    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database
    from agentbench.storage.usage_blocks import Span

__all__ = ["Chosen", "filter_of", "read_usage"]

WORKERS = 2
"""Blocks that are read at once. The database works without the interpreter's lock; decoding needs it."""

_texts = msgspec.json.Decoder(list[str | None])
_numbers = msgspec.json.Decoder(list[float | None])
_line = msgspec.json.Decoder(tuple[Any, ...])


class _Part(NamedTuple):
    """A block: its own columns, decoded, and a line for what each row shares with others."""

    own: dict[str, ExtensionArray]
    lines: list[str]


class Chosen(TypedDict, total=False):
    """Which rows of the ledger: times as `moment` takes them, and one value or several of a column."""

    since: datetime | timedelta | str | None
    until: datetime | timedelta | str | None
    user: str | Sequence[str] | None
    agent: str | Sequence[str] | None
    endpoint: str | Sequence[str] | None
    model: str | Sequence[str] | None
    context: str | Sequence[str] | None
    conversation: Conversation | str | None
    notebook: str | Sequence[str] | None
    status: str | Sequence[str] | None


def read_usage(database: Database, **chosen: Unpack[Chosen]) -> UsageFrame:
    """Return the chosen rows of the ledger, or all, oldest first: from `since` on and before `until`."""
    return _read(database, filter_of(**chosen))


def filter_of(
    *,
    since: datetime | timedelta | str | None = None,
    until: datetime | timedelta | str | None = None,
    conversation: Conversation | str | None = None,
    **chosen: Any,
) -> UsageFilter:
    """Return which rows are meant."""
    several = {name: each if isinstance(each, str | None) else tuple(each) for name, each in chosen.items()}
    return UsageFilter(
        since=moment(since),
        until=moment(until, param="until"),
        conversation_id=conversation if isinstance(conversation, str | None) else conversation.id,
        **several,
    )


def _read(database: Database, chosen: UsageFilter) -> UsageFrame:
    places = database.read_now(partial(usage_blocks.spans, chosen=chosen))
    own: dict[str, list[Any]] = {name: [_decoded(name, "[]")] for name in OWN}
    known: defaultdict[str, int] = defaultdict(count().__next__)  # a number for each line that is new
    codes = [np.array([], dtype="int32")]
    with ThreadPoolExecutor(WORKERS) as pool:
        for part in pool.map(partial(_part, database, chosen), places):
            for name, column in part.own.items():
                own[name].append(column)
            codes.append(np.fromiter(map(known.__getitem__, part.lines), dtype="int32"))
    columns = {name: _joined(own.pop(name)) for name in OWN} | _spread(list(known), np.concatenate(codes))
    frame = UsageFrame({name: columns[name] for name in UsageRow.__struct_fields__}, copy=False)
    frame["tokens_per_second"] = frame["output_tokens"] / frame["duration"].where(frame["duration"] > 0)
    ordered = frame["time"].is_monotonic_increasing
    return frame if ordered else frame.sort_values("time", kind="stable", ignore_index=True)


def _part(database: Database, chosen: UsageFilter, span: Span) -> _Part:
    block = database.read_now(partial(usage_blocks.block, chosen=chosen, span=span))
    if block is None:
        return _Part({}, [])
    own = {name: _decoded(name, text) for name, text in zip(OWN, block.own, strict=True)}
    return _Part(own, block.shared.split("\n"))


def _decoded(name: str, text: str) -> ExtensionArray:
    if name in TEXTS:
        return pd.array(_texts.decode(text), dtype="string")
    if name == "time":
        times = np.array(_texts.decode(text), dtype="datetime64[us]")
        return pd.DatetimeIndex(times).tz_localize("UTC").array
    numbers = np.array(_numbers.decode(text), dtype=float)
    return _typed(name, numbers / 1e9 if name in IN_BILLIONTHS else numbers)


def _typed(name: str, numbers: np.ndarray[Any, Any]) -> ExtensionArray:
    """Return numbers as a nullable column; NaN is null."""
    unknown = np.isnan(numbers)
    if name in FRACTIONS:
        return pd.arrays.FloatingArray(numbers, unknown)
    return pd.arrays.IntegerArray(np.where(unknown, 0, numbers).astype("int64"), unknown)


def _joined(arrays: Sequence[Any]) -> ExtensionArray:
    joined: ExtensionArray = type(arrays[0])._concat_same_type(arrays)  # noqa: SLF001 - pandas' interface for it
    return joined


def _spread(lines: list[str], codes: np.ndarray[Any, Any]) -> dict[str, ExtensionArray]:
    """Return the columns of the lines: each different line is decoded once, then spread over its rows."""
    table = [_line.decode(line) for line in lines]
    values = {name: [line[place] for line in table] for place, name in enumerate(SHARED)}
    return {name: _of_lines(name, values[name]).take(codes) for name in SHARED}


def _of_lines(name: str, values: list[Any]) -> Any:
    if name in CATEGORIES:
        return pd.Categorical(pd.array(values, dtype="str"))
    if name == "estimated":
        return pd.array([None if each is None else bool(each) for each in values], dtype="boolean")
    if name in RATES:
        return pd.array([None if each is None else each / 1e9 for each in values], dtype="Float64")
    return pd.array(values, dtype="Int64")
