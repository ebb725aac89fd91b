"""Looks at something again and again, on a thread of its own, for as long as somebody watches."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weakref import WeakMethod

__all__ = ["Watch"]


class Watch:
    """Calls a method every so many seconds, until nobody has `asked` for it for a while, or for good: `stop`.

    That while is counted in `patience` seconds during which the event loop was free to hear somebody ask: a cell that
    computes keeps it from that. It keeps nothing alive: when the method's object is gone, its thread ends, as it does
    with the process.
    """

    def __init__(self, look: WeakMethod[Any], *, seconds: float, patience: float) -> None:
        self._look = look
        self._seconds = seconds
        self._patience = patience
        self._waited = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_free = True
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a thread now."""
        return self._thread is not None

    def asked(self) -> None:
        """Note that somebody watches."""
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        with self._lock:
            self._waited = 0.0
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="agentbench-dashboard", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End it for good."""
        self._ended.set()

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            while not self._ended.wait(self._seconds) and (look := self._look()) is not None:
                last = self._is_last()
                look(last=last)
                if last:
                    return
                del look
        finally:
            with self._lock:
                if self._thread is me:
                    self._thread = None

    def _is_last(self) -> bool:
        """Tell whether nobody watches any more; then whoever asks next starts another thread."""
        with self._lock:
            if self._was_free():
                self._waited += self._seconds
            if self._waited < self._patience:
                return False
            self._thread = None
            return True

    def _was_free(self) -> bool:
        """Tell whether the event loop did anything since the last time, and see to it that the next time tells."""
        if self._loop is None or self._loop.is_closed():
            return True
        was_free, self._is_free = self._is_free, False
        self._loop.call_soon_threadsafe(self._freed)
        return was_free

    def _freed(self) -> None:
        self._is_free = True
