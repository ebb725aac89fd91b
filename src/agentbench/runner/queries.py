"""What is searched for besides the person's own words: queries that a model writes, where the operator wants that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import Message, user_message
from agentbench.runner.side_calls import SideCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.config.endpoint import Catalog
    from agentbench.protocol import InputItem
    from agentbench.providers import Providers
    from agentbench.runner.purse import Purse
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.telemetry import Telemetry

__all__ = ["QueryWriter"]

_SECONDS = 20.0
_MOST = 3
_LONGEST = 300
_MESSAGES = 6
_TEXT_LENGTH = 1_000
_TOKENS = 1_000
"""Room for a model that thinks first."""
_LOCAL_TOKENS = 128

_ASK = """\
Somebody wants an answer to the last message of this conversation, out of documents that you don't see. Write up to \
three short search queries for them, in the language of the message, that make sense without the conversation. \
Answer in JSON only: {"queries": ["…"]}

"""
_log = logging.getLogger(__name__)


class _Written(msgspec.Struct):
    queries: list[str]


class QueryWriter:
    """Has the model that answers write queries first. `catalog` returns the catalog as it is now."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        providers: Providers,
        database: Database,
        *,
        purse: Purse | None = None,
        telemetry: Telemetry | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._calls = SideCalls(
            catalog, providers, database, purse=purse, telemetry=telemetry, context="retrieval", seconds=seconds
        )

    async def queries(self, turn: Turn, target: Target, items: Sequence[InputItem]) -> tuple[str, ...]:
        """Return up to three queries; none if the model can't."""
        try:
            alone = msgspec.structs.replace(target, agent=None)
            return _read(await self._calls.ask(turn, alone, _request(items, target)))
        except AgentbenchError as error:
            _log.warning("No model wrote queries: %s", error.message)
        except Exception:  # noqa: BLE001 - the person's own words are searched anyway
            _log.exception("writing queries broke off")
        return ()


def _request(items: Sequence[InputItem], target: Target) -> CreateResponse:
    said = [item for item in items if isinstance(item, Message) and item.role in ("user", "assistant")]
    lines = (f"{message.role}: {message.text[:_TEXT_LENGTH]}" for message in said[-_MESSAGES:])
    request = CreateResponse(
        model=target.model,
        input=(user_message(_ASK + "\n\n".join(lines)),),
        max_output_tokens=_TOKENS,
        store=False,
    )
    if target.endpoint.provider == "llama_cpp":  # small models ramble
        request = msgspec.structs.replace(request, temperature=0, max_output_tokens=_LOCAL_TOKENS)
    return request


def _read(answer: str) -> tuple[str, ...]:
    """Return the queries in an answer, whatever stands around their JSON; none if there is no such JSON."""
    try:
        written = msgspec.json.decode(answer[answer.rfind("{") : answer.rfind("}") + 1], type=_Written)
    except msgspec.DecodeError:
        return ()
    queries = (" ".join(query.split())[:_LONGEST] for query in written.queries)
    return tuple(dict.fromkeys(filter(None, queries)))[:_MOST]
