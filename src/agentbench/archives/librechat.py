"""Conversations that LibreChat exported as JSON: one a file, its messages in a list or as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agentbench.archives import pieces
from agentbench.archives.values import Malformed, Said, Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.archives.values import Side
    from agentbench.protocol.content import ContentPart
    from agentbench.protocol.items import Item

__all__ = ["is_talk", "talk"]

_NOBODY = "00000000-0000-0000-0000-000000000000"
"""What the first messages of a conversation follow."""


def is_talk(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a conversation of LibreChat's."""
    return "conversationId" in raw and ("messages" in raw or "messagesTree" in raw)


def talk(raw: dict[str, Any]) -> Talk:
    """Return a conversation; raises `Malformed` if it is broken."""
    notes: list[str] = []
    options = raw["options"] if isinstance(raw.get("options"), dict) else {}
    messages = _flat(raw.get("messages", raw.get("messagesTree")))
    said = [each for found in messages if (each := _said(found, notes)) is not None]
    prefix = pieces.text(options.get("promptPrefix")) or pieces.text(raw.get("promptPrefix"))
    agent = pieces.text(options.get("agent_id")) or pieces.text(raw.get("agent_id"))
    return Talk(
        program="librechat",
        key=pieces.text(raw.get("conversationId")) or "",
        title=pieces.text(raw.get("title")),
        agent=agent,
        endpoint=pieces.text(raw.get("endpoint")),
        model=pieces.text(options.get("model")) or pieces.text(raw.get("model")),
        begun=pieces.moment(raw.get("createdAt")),
        used=pieces.moment(raw.get("updatedAt")),
        said=tuple(said if prefix is None else _told(prefix, said)),
        notes=tuple(notes),
    )


def _flat(raw: object) -> list[dict[str, Any]]:
    """Return the messages, those within others too, each after the one that holds it."""
    found = list(pieces.objects(raw, "messages"))
    for each in found:
        children = each.get("children")
        if children:
            below = pieces.objects(children, "messages")
            found += [{"parentMessageId": each.get("messageId")} | child for child in below]
    return found


def _told(prefix: str, said: list[Said]) -> Iterator[Said]:
    """Put what the model was told before everything else in front of the first messages."""
    key = "promptPrefix"
    words = pieces.message(pieces.content(prefix, "system", []), "system")
    yield Said(id=key, parent=None, role="system", items=words, at=said[0].at if said else None)
    for each in said:
        yield each if each.parent is not None else replace(each, parent=key)


def _said(raw: dict[str, Any], notes: list[str]) -> Said | None:
    key = pieces.text(raw.get("messageId"))
    if key is None:
        raise Malformed("one of its messages has no messageId")
    mine = bool(raw.get("isCreatedByUser", raw.get("sender") == "User"))
    role: Side = "user" if mine else "assistant"
    parent = pieces.text(raw.get("parentMessageId"))
    parts, items = _items(raw, role, notes)
    parts += [pieces.image(each.get("filepath"), role, notes) for each in _files(raw) if _is_image(each)]
    notes += ["an attached file whose content is not there" for each in _files(raw) if not _is_image(each)]
    return Said(
        id=key,
        parent=None if parent == _NOBODY else parent,
        role=role,
        items=(*items, *pieces.message(parts, role)),
        model=pieces.text(raw.get("model")),
        at=pieces.moment(raw.get("createdAt")),
        stopped="interrupted" if raw.get("unfinished") else None,
        error=pieces.text(raw.get("text")) or "It failed." if raw.get("error") is True else None,
    )


def _files(raw: dict[str, Any]) -> list[dict[str, Any]]:
    found = raw.get("files")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_image(file: dict[str, Any]) -> bool:
    return str(file.get("type", "")).startswith("image/")


def _items(raw: dict[str, Any], role: Side, notes: list[str]) -> tuple[list[ContentPart], list[Item]]:
    """Return the parts at a message's end, and the items before them."""
    if not isinstance(raw.get("content"), list):
        return list(pieces.content(raw.get("text"), role, notes)), []
    parts: list[ContentPart] = []
    items: list[Item] = []
    for place, each in enumerate(raw["content"]):
        part = each if isinstance(each, dict) else {"type": "text", "text": each}
        reader = _ITEMS.get(str(part.get("type")))
        if reader is None:
            parts += _parts(part, role, notes)
            continue
        items += pieces.message(parts, role)
        parts = []
        items += reader(part, f"{raw['messageId']}-{place}")
    return parts, items


def _parts(part: dict[str, Any], role: Side, notes: list[str]) -> tuple[ContentPart, ...]:
    kind, told = part.get("type"), part.get("text")
    if kind == "text":
        return pieces.content(told.get("value") if isinstance(told, dict) else told, role, notes)
    if kind == "error":
        return pieces.content(part.get("error") or told, role, notes)
    if kind == "image_file":
        file = part.get("image_file")
        return (pieces.image(file.get("filepath") if isinstance(file, dict) else None, role, notes),)
    return pieces.content([part], role, notes)


def _thought(part: dict[str, Any], _: str) -> tuple[Item, ...]:
    return pieces.reasoning(part.get("think"))


def _called(part: dict[str, Any], key: str) -> tuple[Item, ...]:
    """Return a call with what it gave back, in the words of the agents or of the assistants."""
    raw = part["tool_call"] if isinstance(part.get("tool_call"), dict) else {}
    function = raw.get("function") if isinstance(raw.get("function"), dict) else None
    code = raw.get("code_interpreter") if isinstance(raw.get("code_interpreter"), dict) else None
    if function is not None:
        name, arguments, output = function.get("name"), function.get("arguments"), function.get("output")
    elif code is not None:
        name, arguments, output = "code_interpreter", {"code": code.get("input")}, code.get("outputs")
    else:
        name, arguments, output = raw.get("name") or raw.get("type"), raw.get("args"), raw.get("output")
    call_id = pieces.text(raw.get("id")) or key
    called = pieces.call(call_id, name, arguments)
    return (called,) if output is None else (called, pieces.result(call_id, output))


_ITEMS: dict[str, Callable[[dict[str, Any], str], tuple[Item, ...]]] = {"think": _thought, "tool_call": _called}
