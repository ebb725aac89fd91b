"""What a request that is passed through may take: a stand-in for it to reckon with, and a limit to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["embeds", "reckoned", "shortened", "streams"]

_EMBEDS = ("/api/embed", "/api/embeddings", "/v1/embeddings")
_NATIVE = "/api/"
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_IMAGE = "data:,"
"""Stands for an image, whose size in bytes says nothing of its tokens."""


def embeds(path: str) -> bool:
    """Tell whether a path is for embedding, so that there is no answer in words."""
    return path in _EMBEDS


def reckoned(path: str, body: Mapping[str, Any]) -> CreateResponse:
    """Return a request of ours that is about as large."""
    words = list(_texts(body))
    images = [word for word in words if word == _IMAGE]
    message = user_message("\n".join(word for word in words if word != _IMAGE), *images)
    return CreateResponse(input=(message,), max_output_tokens=_limit(path, body), store=False)


def shortened(path: str, body: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return the body with a limit to its answer, which it didn't have."""
    if path.startswith(_NATIVE):
        return {**body, "options": {**(body.get("options") or {}), "num_predict": limit}}
    return {**body, "max_output_tokens" if path.endswith("/responses") else "max_tokens": limit}


def streams(path: str, body: Mapping[str, Any]) -> bool:
    """Tell whether the answer comes as a stream: in Ollama's own API it does unless the body says no."""
    if embeds(path):
        return False
    return bool(body.get("stream", path.startswith(_NATIVE)))


def _limit(path: str, body: Mapping[str, Any]) -> int | None:
    if embeds(path):
        return 1  # there is no answer to pay for, and no smaller number
    options = body.get("options")
    given = [options.get("num_predict")] if isinstance(options, dict) else []
    given += [body.get(name) for name in _LIMITS]
    return next((each for each in given if isinstance(each, int) and each > 0), None)


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield every text in a body, and `_IMAGE` for each image."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)
    elif isinstance(value, str):
        yield _IMAGE if key == "images" or value.startswith("data:") else value
