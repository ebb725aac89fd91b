"""The event inspector: one run event by event, and another beside it.

The view gets whole recordings and does the rest itself: lanes, filters, replay. So it answers at once, and works in a
page that has no kernel. What other protocols would have sent is asked for when somebody looks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from agentbench.errors import InvalidRequest
from agentbench.notebook.inspector.look import Look
from agentbench.notebook.inspector.record import record_of, violations_table
from agentbench.notebook.inspector.runs import Inspectable, Runs
from agentbench.notebook.widgets.base import BenchWidget, Reply, operation, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from agentbench.notebook.records import Record
    from agentbench.notebook.tables import Table
    from agentbench.protocol.recording import Recording
    from agentbench.workbench import Workbench

__all__ = ["Inspectable", "Inspector", "open_inspector"]

Side = Literal["run", "other"]
_SIDES: tuple[Side, Side] = ("run", "other")


class Inspector(BenchWidget):
    """Shows a recording, and one `beside` it. Other `runs` can be chosen in the view if it knows of any."""

    bundle = "inspector"

    run = traitlets.Bytes(b"").tag(sync=True)
    other = traitlets.Bytes(b"").tag(sync=True)
    runs = traitlets.List(traitlets.Dict()).tag(sync=True)
    wires = traitlets.Bytes(b"").tag(sync=True)  # filled in exported pages alone

    def __init__(self, recording: Recording, beside: Recording | None = None, *, runs: Runs | None = None) -> None:
        self._known = runs
        self._looks: dict[Side, Look] = {"run": self._look(recording)}
        if beside is not None:
            self._looks["other"] = self._look(beside)
        values = {side: _packed(look) for side, look in self._looks.items()}
        super().__init__(runs=[] if runs is None else runs.newest(), **values)

    @property
    def recording(self) -> Recording:
        """The run that is shown, whole."""
        return self._looks["run"].whole

    @property
    def violations(self) -> Table:
        """What breaks the grammar of the stream, one row each."""
        return violations_table(self._looks["run"])

    def frame(self) -> pd.DataFrame:
        """Return the run's events as a DataFrame, one row each."""
        from agentbench.frames.recordings import recording_frame

        return recording_frame(self.recording)

    def record(self) -> Record:
        """Return the timeline, the events by type and the violations as tables."""
        with self.lock:
            return record_of([self._looks[side] for side in _SIDES if side in self._looks])

    def exported(self) -> dict[str, Any]:
        """Return the traits for a page without a kernel: with what every protocol would have sent."""
        with self.lock:
            wires = {side: look.wires() for side, look in self._looks.items()}
        return super().exported() | {"wires": packed(wires), "runs": []}

    @operation
    def choose(self, response: object, side: Side = "run") -> None:
        """Show another run on a side, by the id of its response; None takes away the one beside."""
        if side not in _SIDES or not isinstance(response, str | None) or (response is None and side == "run"):
            raise InvalidRequest("Name a run, and the side on which to show it: run or other.")
        with self.lock:
            if response is None:
                self._looks.pop(side, None)
                setattr(self, side, b"")
            else:
                self._show(side, self._runs.by_id(response))
            self._list()
        self.keep_record()

    @operation
    def refresh(self) -> None:
        """Look again at runs that went on, and for new ones."""
        with self.lock:
            for side, look in list(self._looks.items()):
                if look.goes_on and (key := look.recording.response_id) is not None:
                    self._show(side, self._runs.by_id(key))
            self._list()
        self.keep_record()

    @operation
    def wire(self, wire: str, side: Side = "run") -> Reply:
        """Return what our surface for that protocol would have sent."""
        with self.lock:
            look = self._looks.get(side)
        if look is None:
            raise InvalidRequest("There is no run on that side.")
        return Reply(None, [packed(look.wire(wire))])

    def _on_message(self, view: object, content: Any, buffers: Sequence[Any]) -> None:
        """Answer on a thread of its own: 20,000 events take up to a second, and the kernel stays free meanwhile."""
        threading.Thread(target=super()._on_message, args=(view, content, buffers), daemon=True).start()

    @property
    def _runs(self) -> Runs:
        if self._known is None:
            raise InvalidRequest("This inspector knows of no other runs. Open one with bench.inspect().")
        return self._known

    def _look(self, recording: Recording) -> Look:
        return Look(recording, goes_on=self._known is not None and self._known.goes_on(recording))

    def _show(self, side: Side, recording: Recording) -> None:
        look = self._look(recording)
        setattr(self, side, _packed(look))
        self._looks[side] = look

    def _list(self) -> None:
        if self._known is not None:
            self.runs = self._known.newest()


def open_inspector(bench: Workbench, run: Inspectable | None = None, *, beside: Inspectable | None = None) -> Inspector:
    """Return an inspector of a run, the newest by default, and of another one beside it.

    Raises `UnknownName` for a response that isn't known, `InvalidRequest` if there was no run yet, or for a file that
    can't be read as events.
    """
    runs = Runs(bench)
    return Inspector(runs.find(run), None if beside is None else runs.find(beside), runs=runs)


def _packed(look: Look) -> bytes:
    try:
        return packed(look.values())
    except RecursionError:
        raise InvalidRequest("An event of this run is nested too deep to be shown.") from None
