"""The usage dashboard: Python sends the ledger's newest calls, the page sums them up.

So brushing and filtering answer at once, and in a page without a kernel too. New calls come as messages while somebody
looks; the trait that holds all of them is renewed slowly.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import traitlets
from IPython.core.display_functions import display
from IPython.core.getipython import get_ipython

from agentbench.errors import AgentbenchError
from agentbench.notebook.dashboard.columns import columns, utc_offset
from agentbench.notebook.dashboard.money import money_of
from agentbench.notebook.dashboard.record import record_of
from agentbench.notebook.dashboard.selection import Selection
from agentbench.notebook.dashboard.watch import Watch
from agentbench.notebook.widgets.base import BenchWidget, Reply, operation, packed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from IPython.core.display_functions import DisplayHandle

    from agentbench.frames import UsageFrame
    from agentbench.frames.ledger import Chosen
    from agentbench.notebook.records import Record
    from agentbench.storage.usage_tail import Call
    from agentbench.workbench import Workbench

__all__ = ["Dashboard"]

POLL_S = 1.0
PATIENCE_S = 60.0
"""How long calls are looked for after the last sign of a view; each view gives one every 20 seconds."""
RENEW_S = 30.0
"""How often what a notebook keeps is renewed while calls are made; after a choice it is due sooner."""
RENEW_CHOICE_S = 3.0


class Dashboard(BenchWidget):
    """Live totals, costs, waits and errors of the ledger's newest 20,000 calls; `frame` returns those in view.

    `selected` is the brushed range in milliseconds since 1970, the end not included, or None; `filters` holds the words
    that pass for `model` (as `endpoint/model`), `agent`, `endpoint`, `cell`, `day`, `context` or `error`. Takes what
    `bench.usage` takes.
    """

    bundle = "dashboard"

    rows = traitlets.Bytes(b"").tag(sync=True)
    money = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.List(traitlets.Float(), None, minlen=2, maxlen=2, allow_none=True).tag(sync=True)
    filters = traitlets.Dict(value_trait=traitlets.List(traitlets.Unicode(allow_none=True))).tag(sync=True)

    def __init__(self, bench: Workbench, **chosen: Unpack[Chosen]) -> None:
        self._bench = bench
        self._asked_for = chosen
        self._ledger = bench.ledger_tail(**chosen)
        self._charts: list[DisplayHandle] = []
        self._due = time.monotonic() + RENEW_S
        self._is_new = False
        self._sent = self._ledger.count
        super().__init__(rows=self._snapshot(), money=dict(money_of(bench)))
        self._watch = Watch(WeakMethod(self._look), seconds=POLL_S, patience=PATIENCE_S)
        self.observe(self._note_choice, ["selected", "filters"])

    def frame(self) -> UsageFrame:
        """Return the calls in view, those of the brushed range that pass the filters, as `bench.usage` does."""
        with self.lock:
            self._catch_up()
            calls = self._selection().calls(self._ledger.calls)
        times = [call.time for call in calls] or [datetime.now(UTC)]
        end = max(times) + timedelta(milliseconds=1)
        within: Chosen = {**self._asked_for, "since": min(times), "until": end}
        frame = self._bench.usage(**within)
        known = frame["id"].isin([call.id for call in calls])
        chosen: UsageFrame = frame[known].reset_index(drop=True)
        return chosen

    def record(self) -> Record:
        """Return the sums of the calls in view as tables."""
        with self.lock:
            self._catch_up()
            return record_of(self._ledger.calls, self._ledger.sums, self._selection(), money_of(self._bench))

    def refresh(self) -> None:
        """Look for new calls now, and renew all that is kept of them."""
        self._look(last=True)

    def exported(self) -> dict[str, Any]:
        """Return the traits that an exported page needs, with all calls that were made until now."""
        self.refresh()
        return super().exported()

    def close(self) -> None:
        """End it: nothing is looked for any more."""
        if (watch := getattr(self, "_watch", None)) is not None:
            watch.stop()
        super().close()

    @operation
    def watch(self, count: int) -> Reply:
        """Note that a view is shown that knows so many calls, and return the others."""
        self._watch.asked()
        with self.lock:
            known = self._ledger.count - len(self._ledger.calls)
            start = max(0, count - known) if count >= known else 0
            return self._message(self._ledger.calls[start:], whole=count < known)

    def _ipython_display_(self) -> None:
        super()._ipython_display_()
        shell: Any = get_ipython()
        if not hasattr(shell, "kernel"):
            return
        self._watch.asked()  # the next cell may compute before the kernel hears that there is a view
        if find_spec("altair") is None or not self._ledger.calls:
            return
        parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
        if not parent.get("content", {}).get("allow_stdin", True):
            # Nobody sits there, as in nbconvert: the kernel may end with this cell.
            self._keep_charts(display(self.frame().chart(), display_id=True))
            return
        text = "The notebook was saved before its charts were drawn. Run the cell to draw them."
        waiting = {"text/html": f'<p class="agentbench-record">{text}</p>', "text/plain": text}
        self._keep_charts(display(waiting, raw=True, display_id=True))
        # On a thread: to import pandas and altair takes seconds.
        threading.Thread(target=self._draw, name="agentbench-charts", daemon=True).start()

    def _look(self, *, last: bool = False) -> None:
        """Look for new calls; now and then, and the last time, renew what is kept of them."""
        with self.lock:
            self._catch_up()
            due = self._is_new and (last or time.monotonic() >= self._due)
            if due:
                self._renew()
        if due and last:
            self._draw()

    def _catch_up(self) -> None:
        """Take in what is new, and tell the views."""
        try:
            new = self._ledger.poll()
            self.money = dict(money_of(self._bench))
            self.trouble = ""
        except AgentbenchError as error:
            self.trouble = error.message
            return
        if new != []:
            self._is_new = True
            message = self._message(self._ledger.calls if new is None else new, whole=new is None)
            self.say("calls", buffers=message.buffers, **message.value)

    def _message(self, calls: Sequence[Call], *, whole: bool) -> Reply:
        """Return calls as what follows `from`; `whole` is all, in place of what a view knows."""
        count = self._ledger.count
        value = {"from": count - len(calls), "count": count, "whole": whole, "sums": self._ledger.sums._asdict()}
        return Reply(value, [packed(columns(calls))] if calls else [])

    def _renew(self) -> None:
        self._is_new, self._due = False, time.monotonic() + RENEW_S
        if self._ledger.count != self._sent:
            self._ledger.trim()
            self._sent = self._ledger.count
            self.rows = self._snapshot()
        self.keep_record()

    def _keep_charts(self, handle: DisplayHandle | None) -> None:
        if handle is not None:
            self._charts.append(handle)

    def _draw(self) -> None:
        """Draw the charts that stay in the notebook."""
        for handle in list(self._charts):
            handle.update(self.frame().chart())

    def _snapshot(self) -> bytes:
        ledger = self._ledger
        about = {"count": ledger.count, "offset": utc_offset(), "sums": ledger.sums._asdict()}
        return packed(about | columns(ledger.calls))

    def _selection(self) -> Selection:
        return Selection.of(self.selected, self.filters, utc_offset())

    def _note_choice(self, _: Any) -> None:
        self._is_new, self._due = True, min(self._due, time.monotonic() + RENEW_CHOICE_S)
