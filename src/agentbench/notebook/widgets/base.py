"""What all widgets share: requests that are always answered, messages to every view, and a record that outlives them.

A view asks with `{"id", "op", "args"}` and gets `{"id", "ok"}` or `{"id", "error"}`. Frontends show nothing of an
exception in a callback, so every error travels back and is shown where it was caused.
"""

from __future__ import annotations

import gzip
import logging
import threading
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import anywidget
import msgspec
from IPython.core.display_functions import display
from IPython.core.getipython import get_ipython

from agentbench.errors import AgentbenchError, InvalidRequest, UnknownName
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.display_functions import DisplayHandle

    from agentbench.notebook.records import Record

__all__ = ["STATIC", "UNBUILT", "BenchWidget", "Reply", "operation", "packed"]

STATIC = Path(__file__).parent.parent / "static"
UNBUILT = (
    "The widgets aren't built here. In a checkout run: make widgets. Elsewhere install again, without"
    " AGENTBENCH_SKIP_WIDGETS."
)
_MARK = "_is_operation"
_NO_VIEW = "{}: the live view needs a running kernel; what it showed is below."
_NOT_OURS = ("layout", "tabbable", "tooltip")
_log = logging.getLogger(__name__)

Method = TypeVar("Method", bound="Callable[..., Any]")


class Reply(NamedTuple):
    """An answer with a binary part."""

    value: Any
    buffers: Sequence[bytes]


def operation(method: Method) -> Method:
    """Let views call a method by its name. It returns quickly, a JSON value or a `Reply`, and takes keywords."""
    setattr(method, _MARK, True)
    return method


def packed(value: Any) -> bytes:
    """Return a value as gzipped JSON, for what may be large: notebook servers drop more than a megabyte a second."""
    return gzip.compress(msgspec.json.encode(value), compresslevel=5)


class BenchWidget(anywidget.AnyWidget):
    """A widget on a workbench. `bundle` names its script and style sheet in `STATIC`.

    Callbacks may come on any thread: whoever changes state holds `lock`.
    """

    bundle: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        if (name := cls.__dict__.get("bundle")) is not None:
            cls._esm, cls._css = _bundle(f"{name}.js"), _bundle(f"{name}.css")
        super().__init_subclass__(**options)

    def __init__(self, **traits: Any) -> None:
        self.lock = threading.RLock()
        self._key = new_id("ab")
        self._handles: list[DisplayHandle] = []
        super().__init__(**traits)
        _keep_own_shell(self.comm)
        self.on_msg(self._on_message)

    @abstractmethod
    def record(self) -> Record:
        """Return what the widget shows now, for those who have no live view."""

    def say(self, event: str, *, buffers: Sequence[bytes] = (), **fields: Any) -> None:
        """Send a message to every view. Any thread may."""
        self.send({"event": event, **fields}, list(buffers) or None)

    def keep_record(self) -> None:
        """Renew the record in every output that shows this widget. Any thread may."""
        bundle = self.record().bundle(self._key)
        for handle in list(self._handles):
            handle.update(bundle, raw=True)
        if self._handles:
            self.say("record", key=self._key, bundle=bundle)

    def exported(self) -> dict[str, Any]:
        """Return the traits that an exported page needs; a widget adds what its view would ask a kernel for."""
        return {name: value for name, value in self.get_state().items() if name[0] != "_" and name not in _NOT_OURS}

    @operation
    def ping(self) -> bool:
        """Show that somebody is there."""
        return True

    def __repr__(self) -> str:
        text: str = self.record().plain
        return text

    def _ipython_display_(self) -> None:
        """Show the live view and, below it, the record, which stays when the view is gone."""
        if not hasattr(get_ipython(), "kernel"):
            print(self.record().plain)  # noqa: T201 - a terminal has no other display
            return
        _needs_bundle(self.bundle)
        data, metadata = _view(self._repr_mimebundle_())
        display({**data, "text/plain": _NO_VIEW.format(type(self).__name__)}, metadata=metadata, raw=True)
        handle = display(self.record().bundle(self._key), raw=True, display_id=True)
        if handle is not None:
            self._handles.append(handle)

    def _on_message(self, _: object, content: Any, buffers: Sequence[Any]) -> None:
        key = content.get("id") if isinstance(content, dict) else None
        if not isinstance(key, str):
            return
        try:
            answer = self._answer(content, buffers)
        except AgentbenchError as error:
            self.send({"id": key, "error": {"message": error.message, "type": error.type}})
        except Exception as error:  # noqa: BLE001 - it is logged, and the view is told
            _log.exception("%s: %s broke off", type(self).__name__, content.get("op"))
            message = f"agentbench itself failed ({type(error).__name__}). The kernel's log says more."
            self.send({"id": key, "error": {"message": message, "type": "server_error"}})
        else:
            reply = answer if isinstance(answer, Reply) else Reply(answer, ())
            self.send({"id": key, "ok": reply.value}, list(reply.buffers) or None)

    def _answer(self, content: dict[str, Any], buffers: Sequence[Any]) -> Any:
        name, arguments = content.get("op"), content.get("args") or {}
        method = getattr(type(self), name, None) if isinstance(name, str) else None
        if method is None or not getattr(method, _MARK, False):
            raise UnknownName("operation", str(name), ())
        if not isinstance(arguments, dict):
            raise InvalidRequest("The arguments of a request are an object.")
        more = {"buffers": list(buffers)} if buffers else {}
        return method(self, **arguments, **more)


def _bundle(name: str) -> Path | str:
    """Return a file of the bundles; an empty text while they aren't built, so that the class can be made."""
    path = STATIC / name
    return path if path.exists() else ""


def _keep_own_shell(comm: Any) -> None:
    """Let what views send come on the shell that the frontend chose for it, beside the one that runs cells.

    ipykernel 7.4 sends it to the shell that published last instead, the cells' own. There it waits for a cell that
    computes, so no Stop is heard; and beside a cell that awaits it may end as the next one's parent, so that "Run all"
    never ends.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public way


def _view(bundle: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return bundle if isinstance(bundle, tuple) else (bundle or {}, {})


def _needs_bundle(name: str) -> None:
    if not (STATIC / f"{name}.js").exists():
        raise InvalidRequest(UNBUILT)
