"""What a request's input refers to: earlier items by their ids, pasts that a compaction sealed, and calls by theirs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.items import Compaction, FunctionCall, FunctionCallOutput, ItemReference, Reasoning
from agentbench.providers.assistants_wire import SEAL as THREAD_SEAL
from agentbench.runner.seal import is_ours, stored_key, unsealed
from agentbench.storage import responses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from agentbench.protocol import InputItem
    from agentbench.runner.history import History
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database

__all__ = ["resolved"]

_MOST_REFERENCES = 100
"""Each is looked for in all that the user has stored."""


async def resolved(database: Database, turn: Turn, history: History) -> Turn:
    """Return the turn with the items themselves in place of references to them and of compactions.

    Raises `UnknownName` for a reference to nothing of the user's, `InvalidRequest` for a compaction that can't be
    read and for a function's output without its call.
    """
    items = turn.request.input
    if any(isinstance(item, ItemReference | Compaction) for item in items):
        items = await database.read(partial(_resolved, turn=turn, past=history.items))
    items = tuple(item for item in items if not _names_a_thread(item))
    if items != turn.request.input:
        turn = msgspec.structs.replace(turn, request=msgspec.structs.replace(turn.request, input=items))
    _check_outputs(history.items, items)
    return turn


def _resolved(connection: Connection, turn: Turn, past: tuple[InputItem, ...]) -> tuple[InputItem, ...]:
    items, user = turn.request.input, turn.principal.user
    if sum(isinstance(item, ItemReference) for item in items) > _MOST_REFERENCES:
        raise InvalidRequest(f"More than {_MOST_REFERENCES} references to items. Send the items.", param="input")
    known = {item.id: item for item in (*past, *items) if not isinstance(item, ItemReference)}

    def find() -> Iterator[InputItem]:
        for number, item in enumerate(items):
            found: InputItem | None = item
            if isinstance(item, ItemReference):
                found = known.get(item.id) or responses.find_item(connection, item.id, user)
            if found is None:
                raise UnknownName("item", item.id, param=f"input[{number}].id")
            if isinstance(found, Compaction) and is_ours(found):
                yield from unsealed(found, stored_key(connection), user)
            else:
                yield found

    return tuple(find())


def _names_a_thread(item: InputItem) -> bool:
    """Tell whether an item would have an assistant go on in a thread, which may be somebody else's.

    Only the answers that are stored here may say so.
    """
    seal = item.encrypted_content if isinstance(item, Reasoning) else None
    return isinstance(seal, str) and seal.startswith(THREAD_SEAL)


def _check_outputs(past: Iterable[InputItem], new: Iterable[InputItem]) -> None:
    called = {item.call_id for item in past if isinstance(item, FunctionCall)}
    for number, item in enumerate(new):
        if isinstance(item, FunctionCall):
            called.add(item.call_id)
        elif isinstance(item, FunctionCallOutput) and item.call_id not in called:
            raise InvalidRequest(
                f"There is no function call {item.call_id!r} before its output. Send the call too, or name the"
                " response that has it in previous_response_id.",
                param=f"input[{number}].call_id",
            )
