"""Conversations of ChatGPT's data export: `conversations.json`, each with its messages as a tree of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agentbench.archives import pieces
from agentbench.archives.values import Malformed, Said, Talk
from agentbench.protocol.content import InputText

if TYPE_CHECKING:
    from agentbench.archives.values import Side
    from agentbench.protocol.content import ContentPart
    from agentbench.protocol.items import Item

__all__ = ["is_talk", "talk"]

_HIDDEN = "is_visually_hidden_from_conversation"
_ROLES: dict[str, Side] = {"user": "user", "assistant": "assistant", "system": "system"}
_UNTOLD = ("reasoning_recap", "model_editable_context")
"""What says nothing: how long a model thought, and what it remembered."""


def is_talk(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a conversation of ChatGPT's; a broken one lacks its `mapping`."""
    return "mapping" in raw or ("conversation_id" in raw and "default_model_slug" in raw)


def talk(raw: dict[str, Any]) -> Talk:
    """Return a conversation; raises `Malformed` if it is broken."""
    mapping = raw.get("mapping")
    if not isinstance(mapping, dict) or not all(isinstance(each, dict) for each in mapping.values()):
        raise Malformed("it has no mapping, so no messages")
    notes: list[str] = []
    said: list[Said] = []
    for key, node in mapping.items():
        if (each := _said(key, node, mapping, notes)) is not None:
            said.append(each)
    kept = {each.id for each in said}
    return Talk(
        program="chatgpt",
        key=pieces.text(raw.get("conversation_id")) or pieces.text(raw.get("id")) or "",
        title=pieces.text(raw.get("title")),
        model=pieces.text(raw.get("default_model_slug")),
        begun=pieces.moment(raw.get("create_time")),
        used=pieces.moment(raw.get("update_time")),
        said=tuple(replace(each, parent=_near(each.parent, mapping, kept)) for each in said),
        current=_near(pieces.text(raw.get("current_node")), mapping, kept),
        notes=tuple(notes),
    )


def _near(key: str | None, mapping: dict[str, Any], kept: set[str]) -> str | None:
    """Return the nearest node at or before one that says something; None at the beginning."""
    passed: set[str] = set()
    while key is not None and key not in kept and key not in passed:
        if key not in mapping:
            return key  # it is missing, which is told later
        passed.add(key)
        key = pieces.text(mapping[key].get("parent"))
    return key if key in kept else None


def _said(key: str, node: dict[str, Any], mapping: dict[str, Any], notes: list[str]) -> Said | None:
    """Return a node's message; None where it says nothing."""
    raw = _inner(node, "message")
    about, content = _inner(raw, "metadata"), _inner(raw, "content")
    role = str(_inner(raw, "author").get("role"))
    if about.get(_HIDDEN) or content.get("content_type") in _UNTOLD:
        if about.get("is_user_system_message"):
            notes.append("custom instructions are left out")
        return None
    if role == "tool":
        items = _result(key, node, mapping, notes)
    elif role == "assistant" and _is_call(node):
        items = (pieces.call(key, raw["recipient"], _words(content)),)
    else:
        items = _words_of(content, _ROLES.get(role, "user"), notes)
    if not items:
        return None
    return Said(
        id=key,
        parent=pieces.text(node.get("parent")),
        role="tool"
        if role == "tool"
        else "assistant"
        if role == "assistant"
        else "system"
        if role == "system"
        else "user",
        items=items,
        model=pieces.text(about.get("model_slug")),
        at=pieces.moment(raw.get("create_time")),
        stopped="interrupted" if raw.get("status") == "in_progress" else None,
    )


def _is_call(node: dict[str, Any]) -> bool:
    """Tell whether a message is for a tool, not for a person."""
    raw = _inner(node, "message")
    return _inner(raw, "author").get("role") == "assistant" and raw.get("recipient", "all") not in ("all", None, "")


def _result(key: str, node: dict[str, Any], mapping: dict[str, Any], notes: list[str]) -> tuple[Item, ...]:
    """Return what a tool gave back, after the call itself where no message made it."""
    raw = _inner(node, "message")
    output = "".join(part.text for part in _parts(_inner(raw, "content"), "user", notes) if isinstance(part, InputText))
    parent = pieces.text(node.get("parent"))
    if parent is not None and _is_call(_inner(mapping, parent)):
        return (pieces.result(parent, output),)
    name = _inner(raw, "author").get("name")
    return (pieces.call(key, name, {}), pieces.result(key, output)) if output else ()


def _words_of(content: dict[str, Any], role: Side, notes: list[str]) -> tuple[Item, ...]:
    if content.get("content_type") == "thoughts":
        thoughts = content.get("thoughts")
        told = [_inner({"": each}, "") for each in thoughts] if isinstance(thoughts, list) else []
        words = [pieces.text(each.get("content")) or pieces.text(each.get("summary")) for each in told]
        return pieces.reasoning("\n\n".join(filter(None, words)))
    return pieces.message(_parts(content, role, notes), role)


def _parts(content: dict[str, Any], role: Side, notes: list[str]) -> list[ContentPart]:
    parts = content.get("parts")
    if not isinstance(parts, list):
        return list(pieces.content(_words(content), role, notes))
    found: list[ContentPart] = []
    for each in parts:
        if isinstance(each, dict) and each.get("content_type") == "image_asset_pointer":
            found.append(pieces.image(each.get("asset_pointer"), role, notes))
        elif isinstance(each, dict) and pieces.text(each.get("text")):
            found += pieces.content(each["text"], role, notes)
        elif isinstance(each, dict):
            notes.append(f"a part of type {str(each.get('content_type'))[:40]!r} is left out")
        else:
            found += pieces.content(each, role, notes)
    return found


def _words(content: dict[str, Any]) -> str:
    """Return the text of a content, wherever its type keeps it."""
    parts = content.get("parts")
    if isinstance(parts, list):
        return "".join(each for each in parts if isinstance(each, str))
    return next((found for name in ("text", "result", "content") if (found := pieces.text(content.get(name)))), "")


def _inner(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}
