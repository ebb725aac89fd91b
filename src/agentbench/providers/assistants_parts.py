"""The parts of an assistant's messages as text and citations: told in deltas, whole, or both, and each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agentbench.protocol.content import UrlCitation

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["Files", "MessageParts", "dicts"]


class Files(Protocol):
    """What is known of an upstream's files."""

    def link(self, file_id: str) -> str:
        """Return where a file lies."""

    def title(self, file_id: str) -> str:
        """Return what a file is called."""

    def picture(self, file_id: str) -> str | None:
        """Return a picture as a `data:` URL; None if it can't be shown."""


class _Unknown:
    """Files of which only the ids are known."""

    def link(self, file_id: str) -> str:
        return f"/files/{file_id}/content"

    def title(self, file_id: str) -> str:
        return file_id

    def picture(self, file_id: str) -> str | None:  # noqa: ARG002 - the protocol's shape
        return None


class MessageParts:
    """Tells the builder what is new in a message; each message is an item of its own."""

    def __init__(self, builder: EventBuilder) -> None:
        self.files: Files = _Unknown()
        self._builder = builder
        self._message = ""
        self._length = 0  # of our text so far, which joins the upstream's texts and pictures
        self._begins: dict[tuple[str, object], int] = {}  # where a part begins in our text
        self._lengths: dict[tuple[str, object], int] = {}  # of a part, as far as it was told
        self._done: set[tuple[object, ...]] = set()  # pictures and annotations

    def more(self, message: str, parts: object) -> list[Event]:
        """Tell of a delta's parts."""
        out = self._turn_to(message)
        for place, part in enumerate(dicts(parts)):
            out += self._part((message, part.get("index", place)), part)
        return out

    def whole(self, message: str, parts: object) -> list[Event]:
        """Tell what the deltas left out of a message."""
        if not (found := dicts(parts)):
            return []
        out = self._turn_to(message)
        for place, part in enumerate(found):
            out += self._part((message, place), _rest(part, self._lengths.get((message, place), 0)))
        return out

    def _turn_to(self, message: str) -> list[Event]:
        if message == self._message:
            return []
        self._message, self._length = message, 0
        return self._builder.end_item()

    def _part(self, key: tuple[str, object], part: dict[str, Any]) -> list[Event]:
        match part.get("type"):
            case "text" if isinstance(text := part.get("text"), dict):
                return self._text(key, text)
            case "refusal":
                words = str(part.get("refusal") or "")
                self._lengths[key] = self._lengths.get(key, 0) + len(words)
                self._length = 0  # what follows is a text part of its own
                return self._builder.refusal(words)
            case "image_file" if isinstance(image := part.get("image_file"), dict):
                return self._image(key, str(image.get("file_id") or ""))
            case "image_url" if isinstance(image := part.get("image_url"), dict):
                return self._shown(key, "image", str(image.get("url") or ""))
        return []

    def _text(self, key: tuple[str, object], text: dict[str, Any]) -> list[Event]:
        words = str(text.get("value") or "")
        begin = self._begins.setdefault(key, self._length)
        self._length += len(words)
        self._lengths[key] = self._lengths.get(key, 0) + len(words)
        out = self._builder.text(words)
        for each in dicts(text.get("annotations")):
            out += self._annotation(key, begin, each)
        return out

    def _annotation(self, key: tuple[str, object], begin: int, told: dict[str, Any]) -> list[Event]:
        named = told.get("file_citation") or told.get("file_path")
        file_id = named.get("file_id") if isinstance(named, dict) else None
        first, last = told.get("start_index"), told.get("end_index")
        if not isinstance(file_id, str) or not isinstance(first, int) or not isinstance(last, int):
            return []  # deltas may lack a part of it, which the whole message has
        if (mark := (*key, file_id, first, last)) in self._done:
            return []
        self._done.add(mark)
        files = self.files
        return self._builder.annotation(
            UrlCitation(
                url=files.link(file_id),
                title=files.title(file_id),
                start_index=begin + first,
                end_index=begin + last,
            )
        )

    def _image(self, key: tuple[str, object], file_id: str) -> list[Event]:
        if not file_id:
            return []
        name = self.files.title(file_id)
        return self._shown(key, name, self.files.picture(file_id) or self.files.link(file_id))

    def _shown(self, key: tuple[str, object], name: str, address: str) -> list[Event]:
        if key in self._done or not address:
            return []
        self._done.add(key)
        alt = "".join(character for character in name if character not in "[]\\\n")
        text = ("\n\n" if self._length else "") + f"![{alt}]({address})\n\n"
        self._length += len(text)
        return self._builder.text(text)


def dicts(told: object) -> list[dict[str, Any]]:
    """Return the objects of a list; none if it isn't one."""
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list | tuple) else []


def _rest(part: dict[str, Any], told: int) -> dict[str, Any]:
    """Return a part without what was told of its text."""
    if part.get("type") == "text" and isinstance(text := part.get("text"), dict):
        return part | {"text": text | {"value": str(text.get("value") or "")[told:]}}
    if part.get("type") == "refusal":
        return part | {"refusal": str(part.get("refusal") or "")[told:]}
    return part
