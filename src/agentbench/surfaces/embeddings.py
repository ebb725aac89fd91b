"""OpenAI's Embeddings: `POST /embeddings`.

Beyond OpenAI's shape, `input_type` says what the texts are: `query`, `passage` or `document`. Models that embed both
alike don't mind.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import convert, decode_json
from agentbench.runner.rates import estimated_tokens
from agentbench.surfaces.base import Route, json_response, openai_error
from agentbench.surfaces.event_stream import while_connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.providers.embedding import Embedded, TextKind
    from agentbench.runner import Runner

__all__ = ["ROUTES", "EmbeddingBody", "create_embeddings", "embedding_list"]

_MOST = 2048


class EmbeddingBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks; keys that aren't here are passed over."""

    model: str
    input: str | list[str]
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    input_type: Literal["query", "passage", "document"] | None = None


async def create_embeddings(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /embeddings`."""
    wanted = _decoded(decode_json(await request.body()))
    return json_response(await while_connected(request, embedding_list(wanted, runner, principal)))


async def embedding_list(wanted: EmbeddingBody, runner: Runner, principal: Principal) -> dict[str, Any]:
    """Return the vectors that a body asks for, in OpenAI's form; raises what is wrong with it."""
    texts = _texts(wanted)
    name = runner.embeddings.name_for(wanted.model, principal)
    kind: TextKind = "passage" if wanted.input_type in ("passage", "document") else "query"
    made = await runner.embeddings.embedded(name, texts, kind, principal, dimensions=wanted.dimensions)
    form = _base64 if wanted.encoding_format == "base64" else _floats
    tokens = _tokens(made, texts)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": form(row)} for index, row in enumerate(made.vectors)
        ],
        "model": name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _decoded(raw: dict[str, Any]) -> EmbeddingBody:
    given = raw.get("input")
    first = given[0] if isinstance(given, list) and given else given
    if first != [] and isinstance(first, int | list):
        raise InvalidRequest(
            "Lists of tokens aren't taken: their numbers mean a model's own. Send text.", param="input"
        )
    for key in ("model", "input"):
        if not raw.get(key):
            raise InvalidRequest(f"`{key}` is missing or empty.", param=key)
    return convert(raw, EmbeddingBody)


def _texts(wanted: EmbeddingBody) -> list[str]:
    texts = [wanted.input] if isinstance(wanted.input, str) else wanted.input
    if len(texts) > _MOST:
        raise InvalidRequest(
            f"{len(texts):,} texts are too many for one request. Send {_MOST:,} at most.", param="input"
        )
    if not texts or not all(texts):
        raise InvalidRequest("An empty text can't be embedded. Leave it out.", param="input")
    if wanted.dimensions is not None and wanted.dimensions < 1:
        raise InvalidRequest("`dimensions` must be 1 or more.", param="dimensions")
    return texts


def _tokens(made: Embedded, texts: Sequence[str]) -> int:
    if made.input_tokens is not None:
        return made.input_tokens
    return sum(map(estimated_tokens, texts))


def _floats(row: NDArray[np.float32]) -> list[float]:
    return row.tolist()  # type: ignore[no-any-return]


def _base64(row: NDArray[np.float32]) -> str:
    return b64encode(row.astype("<f4").tobytes()).decode()


ROUTES = (
    Route("POST", "/embeddings", create_embeddings, openai_error, "Create embeddings (OpenAI)", body=EmbeddingBody),
)
