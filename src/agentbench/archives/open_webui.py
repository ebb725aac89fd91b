"""Chats that Open WebUI exported: a list of them, each with its messages as a tree by ids."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from agentbench.archives import pieces
from agentbench.archives.values import Malformed, Said, Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.archives.values import Side
    from agentbench.protocol.content import ContentPart
    from agentbench.protocol.items import Item

__all__ = ["is_talk", "talk"]

_ROLES: dict[str, Side] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_DETAILS = re.compile(
    r"<details\b(?P<about>[^>]*)>\s*(?:<summary>[^<]*</summary>)?(?P<text>.*?)</details>\s*", re.DOTALL
)


def is_talk(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a chat of Open WebUI's, with or without what the list says of it."""
    inner = raw.get("chat", raw)
    return isinstance(inner, dict) and (
        (isinstance(inner.get("history"), dict) and "messages" in inner["history"])
        or (inner is not raw and "messages" in inner)
    )


def talk(raw: dict[str, Any]) -> Talk:
    """Return a chat as a conversation; raises `Malformed` if it is broken."""
    notes: list[str] = []
    inner = raw.get("chat", raw)
    history = inner["history"] if isinstance(inner.get("history"), dict) else {}
    messages = history.get("messages")
    linear = not isinstance(messages, dict)
    listed = pieces.objects(inner.get("messages", []) if linear else list((messages or {}).values()), "messages")
    keys = [pieces.text(each.get("id")) or str(place) for place, each in enumerate(listed)]
    said = []
    for place, each in enumerate(listed):
        before = keys[place - 1] if linear and place else None
        said.append(_said(each, keys[place], before, notes))
    models = inner.get("models")
    return Talk(
        program="open-webui",
        key=pieces.text(raw.get("id")) or pieces.text(inner.get("id")) or "",
        title=pieces.text(raw.get("title")) or pieces.text(inner.get("title")),
        model=pieces.text(models[0]) if isinstance(models, list) and models else None,
        begun=pieces.moment(raw.get("created_at")) or pieces.moment(inner.get("timestamp")),
        used=pieces.moment(raw.get("updated_at")),
        said=tuple(said),
        current=pieces.text(history.get("currentId")) or (keys[-1] if linear and keys else None),
        notes=tuple(notes),
    )


def _said(raw: dict[str, Any], key: str, before: str | None, notes: list[str]) -> Said:
    role = _ROLES.get(str(raw.get("role")))
    if role is None:
        raise Malformed(f"a message has the role {str(raw.get('role'))[:40]!r}")
    error = raw.get("error")
    told = error.get("content") if isinstance(error, dict) else error
    notes += ["sources of an answer are left out"] * bool(raw.get("sources"))
    return Said(
        id=key,
        parent=pieces.text(raw.get("parentId")) or before,
        role=role,
        items=_answer(raw, key, notes) if role == "assistant" else _asked(raw, role, notes),
        model=pieces.text(raw.get("model")),
        at=pieces.moment(raw.get("timestamp")),
        usage=pieces.usage(raw.get("usage")) or pieces.usage(raw.get("info")),
        error=(pieces.text(told) or "It failed.") if error else None,
    )


def _asked(raw: dict[str, Any], role: Side, notes: list[str]) -> tuple[Item, ...]:
    return pieces.message((*pieces.content(raw.get("content"), role, notes), *_files(raw, role, notes)), role)


def _files(raw: dict[str, Any], role: Side, notes: list[str]) -> list[ContentPart]:
    found: list[ContentPart] = []
    for each in raw["files"] if isinstance(raw.get("files"), list) else ():
        file = each if isinstance(each, dict) else {}
        if file.get("type") == "image":
            found.append(pieces.image(file.get("url"), role, notes))
        else:
            notes.append("an attached file whose content is not there")
            found += pieces.content(f"\n(file: {file.get('name') or 'unknown'})\n", role, notes)
    return found


def _answer(raw: dict[str, Any], key: str, notes: list[str]) -> tuple[Item, ...]:
    """Return an answer's items: those that are told one by one, or those that its text is made of."""
    items: list[Item] = []
    output = raw.get("output")
    for each in output if isinstance(output, list) else ():
        reader = _ITEMS.get(str(each.get("type"))) if isinstance(each, dict) else None
        if reader is None:
            notes.append("an item of no known type is left out")
        else:
            items += reader(each, key, notes)
    if not items:
        items = _of_text(raw.get("content"), key, notes)
    return (*items, *pieces.message(_files(raw, "assistant", notes), "assistant"))


def _of_text(raw: object, key: str, notes: list[str]) -> list[Item]:
    """Return what an answer's text holds: reasoning and calls stand in it as folded sections."""
    if not isinstance(raw, str):
        return list(pieces.message(pieces.content(raw, "assistant", notes), "assistant"))
    items: list[Item] = []
    for place, found in enumerate(_DETAILS.finditer(raw)):
        about = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', found["about"])}
        told = unescape(found["text"])
        if about.get("type") == "reasoning":
            items += pieces.reasoning(re.sub(r"^> ?", "", told.strip(), flags=re.MULTILINE))
        elif about.get("type") == "tool_calls":
            call_id = about.get("id") or f"{key}-{place}"
            items.append(pieces.call(call_id, about.get("name"), about.get("arguments")))
            items.append(pieces.result(call_id, about.get("result") or told.strip()))
    rest = _DETAILS.sub(lambda found: "" if 'type="' in found["about"] else found[0], raw).strip()
    return [*items, *pieces.message(pieces.content(rest, "assistant", notes), "assistant")]


def _message(raw: dict[str, Any], _: str, notes: list[str]) -> Sequence[Item]:
    return pieces.message(pieces.content(raw.get("content"), "assistant", notes), "assistant")


def _reasoning(raw: dict[str, Any], _: str, notes: list[str]) -> Sequence[Item]:  # noqa: ARG001 - the table's shape
    parts = raw.get("content") or raw.get("summary")
    words = [each.get("text") for each in parts if isinstance(each, dict)] if isinstance(parts, list) else []
    return pieces.reasoning("\n\n".join(each for each in words if isinstance(each, str)))


def _call(raw: dict[str, Any], key: str, notes: list[str]) -> Sequence[Item]:  # noqa: ARG001 - the table's shape
    return [pieces.call(pieces.text(raw.get("call_id")) or key, raw.get("name"), raw.get("arguments"))]


def _result(raw: dict[str, Any], key: str, notes: list[str]) -> Sequence[Item]:  # noqa: ARG001 - the table's shape
    return [pieces.result(pieces.text(raw.get("call_id")) or key, raw.get("output"))]


_ITEMS: dict[str, Callable[[dict[str, Any], str, list[str]], Sequence[Item]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "function_call_output": _result,
}
