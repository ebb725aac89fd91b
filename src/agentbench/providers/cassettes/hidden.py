"""An exchange without its secrets, as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.providers.cassettes.exchange import Failure
from agentbench.providers.cassettes.hidden_bytes import hidden_bytes

if TYPE_CHECKING:
    from agentbench.providers.cassettes.exchange import Exchange, Head
    from agentbench.providers.cassettes.hiding import Hiding

__all__ = ["hidden"]


def hidden(exchange: Exchange, hiding: Hiding) -> Exchange:
    """Return the exchange without secrets in what came; the request has none."""
    came = [piece.data for piece in exchange.pieces]
    if exchange.head is None:
        kept = hiding.stream(msgspec.to_builtins(came))
    else:
        kept = hidden_bytes(came, exchange.head.headers.get("content-type", ""), hiding)
    replace = msgspec.structs.replace
    pieces = tuple(replace(piece, data=data) for piece, data in zip(exchange.pieces, kept, strict=True) if data != b"")
    end = exchange.end
    if isinstance(end, Failure):
        end = replace(end, message=hiding.text(end.message), facts=hiding.request(end.facts))
    return replace(exchange, head=_head(exchange.head, hiding), pieces=pieces, end=end)


def _head(head: Head | None, hiding: Hiding) -> Head | None:
    return head and msgspec.structs.replace(head, headers=hiding.request(head.headers))
