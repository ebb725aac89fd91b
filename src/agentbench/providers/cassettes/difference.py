"""What of a request isn't as it was recorded, in words."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.providers.cassettes.exchange import Request

__all__ = ["asked_about", "difference", "differences"]

_MOST = 5  # differences that are told
_SHOWN = 60  # characters of each side
_NOTHING = object()
_QUESTIONS = ("messages", "input", "contents", "prompt", "content")


def asked_about(request: Request) -> str:
    """Return which request it is: the endpoint and address, or the tool, and the last question."""
    is_http = request.kind == "http"
    what = f"{request.name}: {request.method} {request.path}" if is_http else f"{request.kind} {request.name}"
    asked = " ".join(_question(request.body).split())
    return f'{what} with "{_cut(asked, 0)}"' if asked else what


def difference(recorded: Request | None, asked: Request) -> str:
    """Return how the nearest recorded request differs, if there is one."""
    if recorded is None:
        return "It holds nothing of that kind. Record it with mode auto."
    found = list(islice(differences(recorded, asked), _MOST + 1))
    told = "; ".join(_told(*each) for each in found[:_MOST])
    more = "; and more" if len(found) > _MOST else ""
    return f"The nearest differs in {told}{more}. Ask as recorded, or record it with mode auto."


def differences(recorded: Request, asked: Request) -> Iterator[tuple[str, Any, Any]]:
    """Yield where two requests differ, and what stands there in each."""
    return _between(msgspec.to_builtins(recorded), msgspec.to_builtins(asked), "")


def _between(old: Any, new: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _between(old.get(key, _NOTHING), new.get(key, _NOTHING), f"{place}.{key}" if place else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            left, right = (each[index] if index < len(each) else _NOTHING for each in (old, new))
            yield from _between(left, right, f"{place}[{index}]")
    elif old is _NOTHING or new is _NOTHING or old != new:
        yield place, old, new


def _told(place: str, old: Any, new: Any) -> str:
    left, right = _text(old), _text(new)
    same = next((index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    start = max(0, same - _SHOWN // 3)
    return f"{place}: recorded {_cut(left, start)}, asked {_cut(right, start)}"


def _text(value: Any) -> str:
    return "nothing" if value is _NOTHING else msgspec.json.encode(value).decode()


def _cut(text: str, start: int) -> str:
    """Return a stretch of a text that shows where it begins to differ."""
    start = start if len(text) > _SHOWN else 0
    return f"{'…' if start else ''}{text[start : start + _SHOWN]}{'…' if len(text) > start + _SHOWN else ''}"


def _question(body: Any) -> str:
    """Return the last text that a model was asked."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return next(filter(None, map(_question, reversed(body))), "")
    if not isinstance(body, dict):
        return ""
    return next(filter(None, (_question(body.get(key)) for key in (*_QUESTIONS, "parts", "text"))), "")
