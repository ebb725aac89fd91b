"""An answer of an assistant that is tried, as it comes: read on a thread of its own, shown a few times a second."""

from __future__ import annotations

import logging
import threading
import time
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import AgentbenchError
from agentbench.notebook.blocks import Growing, blocks_of, note_of
from agentbench.notebook.markdown import summary_line
from agentbench.notebook.render import code_html, html_of, pretty_json
from agentbench.notebook.sanitize import fence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentbench.notebook.blocks import Block, Kind
    from agentbench.workbench import Stream

__all__ = ["Answer", "Trying"]

_PAUSE_S = 0.1
_BYTES_PER_S = 300_000
_CLOSING_S = 10.0
_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What was asked and what came so far; `html` is safe, `text` is the same to be read without a view."""

    question: str
    running: bool = True
    html: str = ""
    text: str = ""
    note: str = ""
    line: str = ""
    error: str = ""


class Trying:
    """Reads an answer to its end. `begin` is called on its thread, `show`, with this, whenever there is more to see."""

    def __init__(self, question: str, begin: Callable[[], Stream], show: Callable[[Trying], None]) -> None:
        self.answer = Answer(question)
        self._begin, self._show = begin, show
        self._stream: Stream | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentbench-try", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the answer to end now; what has come so far is kept."""
        self._stopping.set()
        if (stream := self._stream) is not None:
            stream.stop()

    def close(self) -> None:
        """Cancel it, and wait until its thread has ended."""
        self.stop()
        if self._stream is not None:
            self._stream.close()
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSING_S)

    def _run(self) -> None:
        try:
            self._stream = self._begin()
            if self._stopping.is_set():
                self._stream.stop()
            self._read(self._stream)
        except Exception as error:  # noqa: BLE001 - it is shown where the answer would be
            self._fail(error)
        finally:
            if self._stream is not None:
                self._stream.close()
            self._show(self)

    def _read(self, stream: Stream) -> None:
        growing, due, dirty = Growing(), 0.0, False
        while True:
            try:
                batch = stream.read(max(0.0, due - time.monotonic()) if dirty else None)
            except TimeoutError:
                batch = []
            if batch is None:
                break
            for event in batch:
                dirty = growing.feed(event) or dirty
            if dirty and time.monotonic() >= due:
                self.answer = self.answer._replace(html=_html(growing.blocks))
                self._show(self)
                due, dirty = time.monotonic() + max(_PAUSE_S, len(self.answer.html) / _BYTES_PER_S), False
        self._end(stream)

    def _end(self, stream: Stream) -> None:
        run, response = stream.run, stream.response
        blocks = blocks_of(response.output)
        self.answer = self.answer._replace(
            running=False,
            html=_html(blocks),
            text=response.output_text,
            note=note_of(response),
            line="" if run.row is None else summary_line(run.row),
        )

    def _fail(self, error: Exception) -> None:
        if isinstance(error, AgentbenchError):
            text = error.message
        else:
            _log.exception("a try broke off")
            text = f"agentbench itself failed ({type(error).__name__}). The kernel's log says more."
        self.answer = self.answer._replace(running=False, error=text)


def _html(blocks: Iterable[Block]) -> str:
    return "".join(_HTML[block.kind](block) for block in blocks)


def _call_html(block: Block) -> str:
    code = code_html(pretty_json(block.text), "json")
    return f"<p><strong>{escape(block.name)}</strong></p><pre><code>{code}</code></pre>"


def _folded(summary: str, html: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{html}</details>"


_HTML: Mapping[Kind, Callable[[Block], str]] = {
    "text": lambda block: html_of(block.text),
    "json": lambda block: html_of(fence(block.text, "json")),
    "refusal": lambda block: f"<blockquote>{html_of(block.text)}</blockquote>",
    "reasoning": lambda block: _folded("Reasoning", html_of(block.text)),
    "call": _call_html,
    "output": lambda block: f"<pre>{escape(block.text)}</pre>",
    "search": lambda block: f"<p><em>{escape(block.text)}.</em></p>",
    "source": lambda block: _folded(block.name, f"<pre>{escape(block.text)}</pre>"),
}
