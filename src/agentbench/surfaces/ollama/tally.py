"""Reads along what an Ollama answers, for the ledger: tokens, text, and whether the answer is whole.

It reads lines of JSON, server-sent events (of the `/v1` routes) and whole JSON bodies, and passes over the rest.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import UpstreamGarbled
from agentbench.protocol.response import Usage
from agentbench.providers.counts import count
from agentbench.providers.frames import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OllamaTally"]

_DATA = b"data:"
_ENDS = ("message_stop", "response.completed", "response.incomplete")


class _Told(msgspec.Struct):
    """What may stand in a line or body; embeddings are skipped, not read."""

    type: Any = None
    message: Any = None
    response: Any = None
    delta: Any = None
    choices: Any = None
    usage: Any = None
    done: Any = None
    error: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None


class OllamaTally:
    """Reads one answer; `streams` tells whether it comes in lines that say when they have ended."""

    def __init__(self, *, streams: bool) -> None:
        self._streams = streams
        self._lines = Lines()
        self._json = msgspec.json.Decoder(_Told)
        self._said: list[str] = []
        self._input = 0
        self._output = 0
        self._counted = False
        self.is_whole = False

    @property
    def usage(self) -> Usage | None:
        """The tokens as the upstream counts them."""
        return Usage.of(self._input, self._output) if self._counted else None

    @property
    def text(self) -> str:
        """What was said and thought."""
        return "".join(self._said)

    @property
    def has_begun(self) -> bool:
        """Whether anything was said."""
        return bool(self._said)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of an answer."""
        with suppress(UpstreamGarbled):  # a line that is too long to be read is handed on all the same
            for line in self._lines.feed(chunk):
                self._read(line)

    def close(self) -> None:
        """Read what is left; a body that isn't streamed is whole with its end."""
        for line in self._lines.close():
            self._read(line)
        self.is_whole = self.is_whole or not self._streams

    def _read(self, line: bytes) -> None:
        line = line.strip().removeprefix(_DATA).strip()
        if line == b"[DONE]":
            self.is_whole = True
        if not line.startswith(b"{"):
            return
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._note(self._json.decode(line))

    def _note(self, told: _Told) -> None:
        self.is_whole = self.is_whole or told.done is True or told.type in _ENDS
        self._said += _texts(told)
        self._count(told.prompt_eval_count, told.eval_count)
        for place in (told.usage, _get(told.message, "usage"), _get(told.response, "usage")):
            self._count(
                _get(place, "prompt_tokens") or _get(place, "input_tokens"),
                _get(place, "completion_tokens") or _get(place, "output_tokens"),
            )

    def _count(self, read: Any, written: Any) -> None:
        if (found := count(read)) is not None:
            self._counted, self._input = True, found
        if (found := count(written)) is not None:
            self._counted, self._output = True, found


def _texts(told: _Told) -> Iterator[str]:
    """Yield what a line says, in any of the APIs."""
    choices = told.choices if isinstance(told.choices, list) else []
    sides = [told.message, told.delta, *(_get(each, key) for each in choices for key in ("delta", "message"))]
    found = [told.response, told.delta, *(_get(each, "text") for each in choices)]
    found += [_get(side, key) for side in sides for key in ("thinking", "reasoning", "content", "text")]
    yield from (text for text in found if isinstance(text, str) and text)


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
