"""The small things in foreign files, read leniently: times, texts, contents, tools, counts of tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.archives.values import Malformed
from agentbench.protocol.content import (
    ContentPart,
    InputFile,
    InputImage,
    InputText,
    OutputText,
    ReasoningText,
    Refusal,
)
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.request import FunctionTool
from agentbench.protocol.response import Usage
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.archives.values import Side

__all__ = ["call", "content", "image", "message", "moment", "objects", "reasoning", "result", "text", "tools", "usage"]

_LONGEST_SECONDS = 1e11
"""A larger number of seconds can only be one of milliseconds."""
_ADDRESS = ("https://", "http://", "data:")
_TEXTS = ("text", "input_text", "output_text", "summary_text")


def moment(raw: object) -> datetime | None:
    """Return a time that is told in ISO 8601, in seconds or milliseconds; None where it can't be read."""
    try:
        if isinstance(raw, str):
            told = datetime.fromisoformat(raw)
            return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(raw / 1000 if raw > _LONGEST_SECONDS else raw, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def text(raw: object) -> str | None:
    """Return what is text and not empty."""
    return raw if isinstance(raw, str) and raw.strip() else None


def objects(raw: object, what: str) -> list[dict[str, Any]]:
    """Return a list's objects; raises `Malformed` if it is no list of objects."""
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise Malformed(f"its {what} are no list of objects")
    return raw


def content(raw: object, role: Side, notes: list[str]) -> tuple[ContentPart, ...]:
    """Return a message's content: a text, or a list of parts in the words of Chat Completions or Responses."""
    if isinstance(raw, str):
        return (_said(raw, role),) if raw else ()
    if not isinstance(raw, list):
        notes += ["content of no known shape is left out"] * (raw is not None)
        return ()
    found = (_said(each, role) if isinstance(each, str) else _part(each, role, notes) for each in raw)
    return tuple(part for part in found if part is not None)


def image(url: object, role: Side, notes: list[str]) -> ContentPart:
    """Return an image; where the file has only its name, a text in its place."""
    if isinstance(url, str) and url.startswith(_ADDRESS) and role != "assistant":
        return InputImage(image_url=url)
    if isinstance(url, str) and url.startswith(_ADDRESS):  # an assistant's message holds text only
        return OutputText(text=f"![image]({url})")
    notes.append("an image whose content is not there")
    return _said(f"\n(image: {url if isinstance(url, str) and url else 'unknown'})\n", role)


def message(parts: Iterable[ContentPart], role: Side) -> tuple[Message, ...]:
    """Return a message of these parts; none without any."""
    kept = tuple(parts)
    return (Message(id=new_id("msg"), role=role, content=kept),) if kept else ()


def reasoning(words: object) -> tuple[Reasoning, ...]:
    """Return what a model thought; nothing where it is no text."""
    if (told := text(words)) is None:
        return ()
    return (Reasoning(id=new_id("rs"), content=(ReasoningText(text=told),)),)


def call(call_id: str, name: object, arguments: object) -> FunctionCall:
    """Return a call; arguments that are no text become JSON."""
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode({} if arguments is None else arguments).decode()
    return FunctionCall(id=new_id("fc"), call_id=call_id, name=text(name) or "tool", arguments=arguments or "{}")


def result(call_id: str, output: object) -> FunctionCallOutput:
    """Return what a call gave back; what is no text becomes JSON, a list of texts one text."""
    if isinstance(output, list) and all(
        isinstance(each, dict) and isinstance(each.get("text"), str) for each in output
    ):
        output = "\n".join(each["text"] for each in output)
    if not isinstance(output, str):
        output = "" if output is None else msgspec.json.encode(output).decode()
    return FunctionCallOutput(id=new_id("fco"), call_id=call_id, output=output)


def tools(raw: object, notes: list[str]) -> tuple[FunctionTool, ...]:
    """Return the functions that a model was offered."""
    found: list[FunctionTool] = []
    for each in raw if isinstance(raw, list) else ():
        try:
            found.append(msgspec.convert({"type": "function"} | each["function"], FunctionTool))
        except (TypeError, KeyError, msgspec.ValidationError):
            notes.append("a tool that is no function is left out")
    return tuple(found)


def usage(raw: object) -> Usage | None:
    """Return counts of tokens in the words of Chat Completions, Responses or Ollama; None without any."""
    if not isinstance(raw, dict):
        return None
    counts = [
        next((raw[name] for name in names if isinstance(raw.get(name), int)), None)
        for names in (
            ("prompt_tokens", "input_tokens", "prompt_eval_count"),
            ("completion_tokens", "output_tokens", "eval_count"),
        )
    ]
    if counts == [None, None]:
        return None
    return Usage.of(counts[0] or 0, counts[1] or 0)


def _said(words: str, role: Side) -> ContentPart:
    return OutputText(text=words) if role == "assistant" else InputText(text=words)


def _part(raw: object, role: Side, notes: list[str]) -> ContentPart | None:
    if not isinstance(raw, dict):
        notes.append("a part of no known type is left out")
        return None
    kind = raw.get("type")
    if kind in _TEXTS or (kind is None and "text" in raw):
        return _said(raw["text"], role) if isinstance(raw.get("text"), str) and raw["text"] else None
    if kind in ("image_url", "input_image", "image"):
        found = raw.get("image_url") or raw.get("url")
        return image(found.get("url") if isinstance(found, dict) else found, role, notes)
    if kind == "refusal" and isinstance(raw.get("refusal"), str):
        return Refusal(refusal=raw["refusal"])
    if kind in ("file", "input_file"):
        return _file(raw, role, notes)
    notes.append(f"a part of type {str(kind)[:40]!r} is left out")
    return None


def _file(raw: dict[str, Any], role: Side, notes: list[str]) -> ContentPart:
    inner = raw["file"] if isinstance(raw.get("file"), dict) else raw
    data, name = inner.get("file_data"), text(inner.get("filename"))
    if isinstance(data, str) and role != "assistant":
        return InputFile(file_data=data, filename=name or "file")
    notes.append("an attached file whose content is not there")
    return _said(f"\n(file: {name or inner.get('file_id') or 'unknown'})\n", role)
