"""Our own archives: JSON that holds whole conversations, all branches, and is read back to the same turns.

Left out is what nobody said: whose conversation it was, and in which cell of which notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from agentbench.archives.values import Archived, Malformed
from agentbench.storage.conversations import Conversation
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["archived", "entries", "is_archive", "text"]

_OBJECT = "agentbench.archive"
_VERSION = 1
_OF_TURNS = ("user", "conversation_id", "cell_id", "cell_run")


def text(conversations: Iterable[Archived]) -> str:
    """Return conversations as the text of an archive, a line a turn."""
    told = [_conversation(each) for each in conversations]
    head = f'{{"object":"{_OBJECT}","version":{_VERSION},"conversations":['
    return head + ",".join(f"\n{each}" for each in told) + "\n]}\n"


def is_archive(raw: dict[str, Any]) -> bool:
    """Tell whether an object is an archive of ours."""
    return raw.get("object") == _OBJECT


def entries(raw: dict[str, Any]) -> list[Any]:
    """Return what an archive holds; raises `Malformed` if it is of a newer version, or holds nothing."""
    if raw.get("version") != _VERSION:
        raise Malformed(f"it is an archive of version {raw.get('version')}; this reads version {_VERSION}")
    if not isinstance(raw.get("conversations"), list):
        raise Malformed("it is an archive without conversations")
    return list(raw["conversations"])


def archived(raw: object, user: str) -> Archived:
    """Return an archive's entry as that user's; raises `Malformed` if it is broken.

    A turn that can't be read is left out, and what followed it follows the turn before.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("turns"), list):
        raise Malformed("it is no conversation with its turns")
    about = {name: value for name, value in raw.items() if name != "turns"}
    conversation = _converted(about | {"user": user}, Conversation)
    turns: list[StoredResponse] = []
    broken: dict[str, str | None] = {}
    for each in raw["turns"]:
        try:
            turns.append(_converted(each | {"user": user, "conversation_id": conversation.id}, StoredResponse))
        except (Malformed, TypeError):
            broken |= _link(each)
    known = {turn.response.id for turn in turns}
    linked = tuple(replace(turn, parent=_near(turn.parent, known, broken)) for turn in turns)
    head = _near(conversation.head, known, broken)
    notes = ("a turn that can't be read is left out",) * (len(raw["turns"]) - len(turns))
    linked = tuple({turn.response.id: turn for turn in linked}.values())
    return Archived(conversation=replace(conversation, head=head), turns=linked, notes=notes)


def _link(raw: object) -> dict[str, str | None]:
    """Return what a broken turn followed, by its id, as far as that can be read."""
    response = raw.get("response") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(response, dict) or not isinstance(response.get("id"), str):
        return {}
    parent = raw.get("parent")
    return {response["id"]: parent if isinstance(parent, str) else None}


def _near(key: str | None, known: set[str], broken: dict[str, str | None]) -> str | None:
    """Return the nearest turn at or before one that could be read."""
    passed: set[str] = set()
    while key is not None and key not in known and key not in passed:
        passed.add(key)
        key = broken.get(key)
    return key if key in known else None


def _conversation(each: Archived) -> str:
    about = msgspec.to_builtins(each.conversation)
    del about["user"]
    head = msgspec.json.encode(about).decode()[:-1]
    return f'{head},"turns":[' + ",".join(f"\n {_turn(turn)}" for turn in each.turns) + "\n]}"


def _turn(turn: StoredResponse) -> str:
    said = replace(turn, response=replace(turn.response, safety_identifier=None, prompt_cache_key=None))
    told = {name: value for name, value in msgspec.to_builtins(said).items() if name not in _OF_TURNS}
    return msgspec.json.encode(told).decode()


def _converted(raw: dict[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise Malformed(f"{kind.__name__}: {error}") from None
