"""A view of a widget with no browser: what the kernel sends is kept, and requests go in as a frontend sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentbench.notebook.widgets.base import BenchWidget


class View:
    """Asks a widget and hears what it says."""

    def __init__(self, widget: BenchWidget) -> None:
        self.widget = widget
        self.messages: list[dict[str, Any]] = []
        self.buffers: list[list[bytes]] = []
        self._count = 0
        widget.send = self._receive  # type: ignore[method-assign]  # there is no comm to send on

    def ask(self, op: str, /, *, buffers: tuple[bytes, ...] = (), **args: Any) -> dict[str, Any]:
        """Send a request and return its answer: `{"id", "ok"}` or `{"id", "error"}`."""
        self._count += 1
        key = f"view-{self._count}"
        self.widget._on_message(self.widget, {"id": key, "op": op, "args": args}, list(buffers))
        return next(each for each in reversed(self.messages) if each.get("id") == key)

    def ok(self, op: str, /, **args: Any) -> Any:
        """Return the value of an answer that is no error."""
        return self.ask(op, **args)["ok"]

    def heard(self, event: str) -> list[dict[str, Any]]:
        """Return the messages of a kind, oldest first."""
        return [each for each in list(self.messages) if each.get("event") == event]

    def _receive(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.messages.append(content)
        self.buffers.append(buffers or [])
