"""The documents that a chat's answers rest on: picked, or uploaded in pieces, and how far each is.

They stay for the whole conversation, until a person takes one out; files stay in the library even then.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agentbench.errors import AgentbenchError, InvalidRequest, RequestTooLarge, UnknownName
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentbench.retrieval.values import Progress
    from agentbench.runner.documents import Document
    from agentbench.workbench.library_view import LibraryView

    State = Literal["uploading", "waiting", "reading", "embedding", "ready", "failed"]

__all__ = ["LARGEST", "ChatDocuments"]

LARGEST = 32 * 1024 * 1024
"""Bytes of a file that goes through the notebook's connection, and is held in memory until it is whole."""

_LOOK_S = 0.3
_SILENCE_S = 60.0
_UNFINISHED = ("uploading", "waiting", "reading", "embedding")
_STATES: dict[str, State] = {
    "waiting": "waiting",
    "extracting": "reading",
    "splitting": "reading",
    "embedding": "embedding",
    "completed": "ready",
    "failed": "failed",
    "deleted": "failed",
}
_SILENT = "The upload broke off. Remove it, and add the file again."
_DELETED = "It was deleted from the library. Remove it here too."
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Upload:
    """A file that is coming; `heard` is when its last piece came."""

    size: int
    data: bytearray = field(default_factory=bytearray)
    heard: float = field(default_factory=time.monotonic)
    is_storing: bool = False


class _Chip(NamedTuple):
    """A document as views show it; `document` is None before the library has it, `done` and `total` are its steps."""

    key: str
    name: str
    state: State
    document: Document | None = None
    done: int = 0
    total: int = 0
    error: str = ""

    @property
    def kind(self) -> str:
        return "file" if self.document is None else self.document.kind

    @property
    def id(self) -> str:
        return "" if self.document is None else self.document.id or self.document.url

    def plain(self) -> dict[str, Any]:
        fields = ("key", "kind", "id", "name", "state", "done", "total", "error")
        return {name: getattr(self, name) for name in fields} | {"retry": self.state == "failed" and bool(self.id)}


class ChatDocuments:
    """The documents of one chat. Any thread may use it; `show` is told how they are, `close` ends its thread."""

    def __init__(self, library: Callable[[], LibraryView], show: Callable[[list[dict[str, Any]]], None]) -> None:
        self._library = library
        self._show = show
        self._lock = threading.RLock()
        self._chips: dict[str, _Chip] = {}
        self._uploads: dict[str, _Upload] = {}
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None

    def plain(self) -> list[dict[str, Any]]:
        """Return the documents as JSON has them."""
        with self._lock:
            return [each.plain() for each in self._chips.values()]

    def chosen(self) -> tuple[Document, ...]:
        """Return what the next answer rests on; raises `InvalidRequest` for what can't be read, or isn't here yet."""
        with self._lock:
            chips = list(self._chips.values())
        for each in chips:
            if each.state == "failed":
                raise InvalidRequest(f"{each.name!r} can't be used: {each.error} Or remove it, and send again.")
            if each.document is None:
                raise InvalidRequest(f"{each.name!r} is still being uploaded. Wait until it is here, or remove it.")
        return tuple(each.document for each in chips if each.document is not None)

    def put(self, documents: Iterable[Document]) -> None:
        """Add documents that the library has, or that need none; those that are there already stay as they are."""
        with self._lock:
            there = {(each.kind, each.id) for each in self._chips.values() if each.id}
            for each in documents:
                if (each.kind, each.id or each.url) not in there:
                    is_file = each.kind == "file"
                    name = each.name or each.url or each.kind
                    key = new_id("doc")
                    self._chips[key] = _Chip(key, name, "waiting" if is_file else "ready", each)
            self._tell()
            self._watch()

    def pick(self, kind: str, name: str, *, picked: bool) -> None:
        """Add a collection or a file of the library by its id, or take it out."""
        if picked:
            found = [each for each in self._library().documents(name) if each.kind == kind and each.id == name]
            if not found:
                raise UnknownName(kind, name, ())
            self.put(found)
            return
        with self._lock:
            for key in [each.key for each in self._chips.values() if (each.kind, each.id) == (kind, name)]:
                self.remove(key)

    def remove(self, key: str) -> None:
        """Take a document out; an upload ends, and what came of it is dropped."""
        with self._lock:
            self._chips.pop(key, None)
            self._uploads.pop(key, None)
            self._tell()

    def clear(self) -> None:
        """Take all documents out."""
        with self._lock:
            for key in list(self._chips):
                self.remove(key)

    def retry(self, key: str) -> None:
        """Process a file again that failed."""
        with self._lock:
            chip = self._chips.get(key)
        if chip is None or chip.document is None or chip.kind != "file":
            raise UnknownName("document", key, ())
        self._library().retry(chip.id)
        self._change(key, state="waiting", error="", done=0, total=0)
        self._watch()

    def close(self) -> None:
        """Stop looking how far files are."""
        self._closed.set()
        if self._watching is not None and self._watching is not threading.current_thread():
            self._watching.join(5)

    # -- uploads ------------------------------------------------------------------------------------------------

    def begin(self, key: str, name: str, size: int) -> None:
        """Expect a file of so many bytes; raises `RequestTooLarge`, and `InvalidRequest` for an empty file."""
        if size > LARGEST:
            message = (
                f"{name!r} is larger than {LARGEST // 1024**2} MB, too large to go through the notebook's connection."
                ' Add it from its folder: bench.collection("NAME").add("PATH")'
            )
            raise RequestTooLarge(message)
        if size <= 0:
            raise InvalidRequest(f"{name!r} is empty. Add a file that holds something.")
        with self._lock:
            self._uploads[key] = _Upload(size)
            self._chips[key] = _Chip(key, name, "uploading", total=size)
            self._tell()
            self._watch()

    def take(self, key: str, at: int, pieces: Sequence[bytes]) -> int:
        """Take the next pieces of a file, of which `at` bytes came before; return how many have come.

        Raises `InvalidRequest` where the file was removed, or the pieces don't fit.
        """
        with self._lock:
            upload = self._uploads.get(key)
            if upload is None:
                raise InvalidRequest("This file was removed.")
            if at != len(upload.data) or upload.is_storing:
                raise InvalidRequest("A piece of the file is missing. Remove it, and add the file again.")
            for piece in pieces:
                upload.data += piece
            upload.heard = time.monotonic()
            came = len(upload.data)
            if came > upload.size:
                raise InvalidRequest("The file grew while it was read. Remove it, and add it again.")
            upload.is_storing = came == upload.size
            self._chips[key] = self._chips[key]._replace(state="uploading", done=came, error="")
            self._watch()
        return came

    # -- on a thread --------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Follow what isn't ready, on a thread that ends when all is."""
        with self._lock:
            if not self._closed.is_set() and self._watching is None and self._unfinished():
                self._watching = threading.Thread(target=self._follow, name="agentbench-documents", daemon=True)
                self._watching.start()

    def _unfinished(self) -> list[_Chip]:
        return [each for each in self._chips.values() if each.state in _UNFINISHED]

    def _follow(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                left = self._unfinished()
            for chip in left:
                self._look(chip)
            with self._lock:
                self._tell()
                if not self._unfinished():
                    break
            self._closed.wait(_LOOK_S)
        with self._lock:
            self._watching = None
            self._watch()

    def _look(self, chip: _Chip) -> None:
        """Find out how far a document is; what keeps that from being known is its error."""
        try:
            if chip.document is not None:
                self._note(chip.key, self._library().progress(chip.id))
            elif (upload := self._uploads.get(chip.key)) is None:
                return
            elif upload.is_storing:
                self._store(chip, upload)
            elif time.monotonic() - upload.heard > _SILENCE_S:
                self._change(chip.key, state="failed", error=_SILENT)
        except AgentbenchError as error:
            self._fail(chip.key, error.message)
        except Exception:  # noqa: BLE001 - it becomes the document's error, where the person sees it
            _log.exception("a document of a chat could not be followed")
            self._fail(chip.key, "agentbench itself failed. The kernel's log says more.")

    def _store(self, chip: _Chip, upload: _Upload) -> None:
        stored = self._library().add(chip.name, bytes(upload.data))
        [document] = self._library().documents(stored.id)
        with self._lock:
            self._uploads.pop(chip.key, None)
            self._change(chip.key, document=document, name=stored.name, state="waiting", done=0, total=0)

    def _note(self, key: str, now: Progress) -> None:
        error = _DELETED if now.step == "deleted" else now.error or ""
        self._change(key, state=_STATES[now.step], done=now.done, total=now.total, error=error)

    def _fail(self, key: str, error: str) -> None:
        with self._lock:
            self._uploads.pop(key, None)
            self._change(key, state="failed", error=error)

    def _change(self, key: str, **fields: Any) -> None:
        with self._lock:
            if key in self._chips:
                self._chips[key] = self._chips[key]._replace(**fields)

    def _tell(self) -> None:
        self._show(self.plain())
