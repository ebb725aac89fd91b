"""Conversations, their responses, and the items in them as DataFrames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from agentbench.protocol.items import InputItem
    from agentbench.storage.conversation_sums import ConversationSums
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse

__all__ = ["conversations_frame", "items_frame", "responses_frame", "sums_frame", "tree_frame"]

_TIME = "datetime64[us, UTC]"
_CONVERSATION = {
    "id": "string",
    "title": "string",
    "titled_by": "category",
    "agent": "category",
    "user": "category",
    "head": "string",
    "created_at": _TIME,
    "updated_at": _TIME,
}
_TURN = ("conversation_id", "parent", "agent", "endpoint", "cell_id", "created_at")
_RESPONSE = {
    "id": "string",
    "created_at": _TIME,
    "completed_at": _TIME,
    "status": "category",
    "conversation_id": "string",
    "parent": "string",
    "agent": "category",
    "endpoint": "category",
    "model": "category",
    "cell_id": "string",
    "items": "Int64",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "error": "string",
    "text": "string",
}
_SUMS = {
    "number": "Int64",
    "id": "string",
    "title": "string",
    "agent": "category",
    "turns": "Int64",
    "calls": "Int64",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "cost": "Float64",
    "unknown": "Int64",
    "updated_at": _TIME,
}
_TREE = {
    "number": "Int64",
    "after": "Int64",
    "question": "string",
    "agent": "category",
    "model": "category",
    "status": "category",
    "time": _TIME,
    "response_id": "string",
    "current": "boolean",
}
_ITEM = {
    "response_id": "string",
    "side": "category",
    "index": "Int64",
    "id": "string",
    "type": "category",
    "role": "category",
    "status": "category",
    "name": "category",
    "call_id": "string",
    "text": "string",
    "json": "string",
}


def conversations_frame(conversations: Iterable[Conversation]) -> pd.DataFrame:
    """Return a row a conversation, in the order given."""
    return _typed([{name: getattr(each, name) for name in _CONVERSATION} for each in conversations], _CONVERSATION)


def sums_frame(conversations: Iterable[Conversation], sums: Iterable[ConversationSums]) -> pd.DataFrame:
    """Return a row a conversation, numbered from 1, and what it took; `cost` is of the calls whose cost is known."""
    pairs = zip(conversations, sums, strict=True)
    rows = [
        {name: getattr(each, name, None) for name in _SUMS} | took._asdict() | {"number": number}
        for number, (each, took) in enumerate(pairs, 1)
    ]
    return _typed(rows, _SUMS)


def tree_frame(turns: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row a turn of a conversation's tree; `after` is the number of the turn before it, 0 at the beginning."""
    return _typed(list(turns), _TREE)


def responses_frame(turns: Iterable[StoredResponse]) -> pd.DataFrame:
    """Return a row a response, such as the turns of `bench.turns`; `parent` is the id of the response before."""
    return _typed([_response(each) for each in turns], _RESPONSE)


def items_frame(turns: Response | StoredResponse | Iterable[Response | StoredResponse]) -> pd.DataFrame:
    """Return a row an item of these responses or turns; `side` says `input` or `output`, `index` the place there.

    `text` is what a person would read of it; `json` is all of it.
    """
    listed = turns if isinstance(turns, (list, tuple)) else _listed(turns)
    return _typed([row for each in listed for row in _items(each)], _ITEM)


def _listed(turns: Any) -> Sequence[Response | StoredResponse]:
    from agentbench.storage.responses import StoredResponse

    return [turns] if isinstance(turns, Response | StoredResponse) else list(turns)


def _response(turn: StoredResponse) -> dict[str, Any]:
    response, usage = turn.response, turn.response.usage
    row: dict[str, Any] = {name: getattr(turn, name) for name in _TURN}
    if usage is not None:
        row |= {
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.input_tokens_details.cached_tokens,
            "cache_write_tokens": usage.input_tokens_details.cache_write_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": usage.output_tokens_details.reasoning_tokens,
        }
    return row | {
        "id": response.id,
        "completed_at": _moment(response.completed_at),
        "status": response.status,
        "model": response.model,
        "items": len(response.output),
        "error": None if response.error is None else response.error.message,
        "text": response.output_text,
    }


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _items(turn: Response | StoredResponse) -> Iterator[dict[str, Any]]:
    response = turn if isinstance(turn, Response) else turn.response
    sides = {"input": () if isinstance(turn, Response) else turn.input, "output": response.output}
    for side, items in sides.items():
        for index, item in enumerate(items):
            yield {"response_id": response.id, "side": side, "index": index} | _item(item)


def _item(item: InputItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "type": str(item.__struct_config__.tag),
        **{name: getattr(item, name, None) or None for name in ("role", "status", "name", "call_id")},
        "text": _text(item),
        "json": msgspec.json.encode(item).decode(),
    }


def _text(item: InputItem) -> str | None:
    match item:
        case Message():
            return item.text or item.refusal
        case Reasoning():
            return item.text
        case FunctionCall():
            return item.arguments
        case FunctionCallOutput():
            return item.output if isinstance(item.output, str) else None
    return None


def _typed(rows: Sequence[Mapping[str, Any]], dtypes: Mapping[str, str]) -> pd.DataFrame:
    columns = {name: [row.get(name) for row in rows] for name in dtypes}
    return pd.DataFrame({name: _column(columns[name], dtype) for name, dtype in dtypes.items()})


def _column(values: list[Any], dtype: str) -> pd.Series:
    series: pd.Series = pd.Series(values, dtype="object")
    return pd.to_datetime(series, utc=True).dt.as_unit("us") if dtype == _TIME else series.astype(_dtype(dtype))


def _dtype(name: str) -> Any:
    return pd.api.types.pandas_dtype(name)
