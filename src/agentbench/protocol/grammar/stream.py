"""The check of a whole stream: what comes first and last, how it is numbered, and what each response says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol.grammar.output import Output
from agentbench.protocol.grammar.report import Report, Violation, same, shown
from agentbench.protocol.grammar.shapes import EVENTS, check_event, check_response

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check"]

_Object = dict[str, Any]
_OPENING = ("response.created", "response.queued", "response.in_progress")
_TERMINAL = ("response.completed", "response.failed", "response.incomplete")
_STATUSES: dict[str, tuple[str, ...]] = {
    "response.created": ("in_progress", "queued"),
    "response.queued": ("queued",),
    "response.in_progress": ("in_progress",),
    "response.completed": ("completed",),
    "response.failed": ("failed",),
    "response.incomplete": ("incomplete", "cancelled"),  # the spec has no event for one that was cancelled
}
_OTHER_NAMES = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}
"""OpenAI's own names, and what Open Responses calls these events."""
_LATEST_SECOND = 10**11  # in the year 5138; what is above that counts milliseconds


def check(events: Iterable[Any]) -> tuple[Violation, ...]:
    """Return what is wrong with a stream of Open Responses events, given as JSON objects in order of arrival.

    Whatever the events hold, nothing is raised. A part or item that was never begun is told of once.
    """
    report = Report()
    stream = _Stream(report)
    for index, event in enumerate(events):
        report.index = index
        stream.take(event)
    report.index = None
    stream.end()
    return tuple(report.violations)


class _Stream:
    """Takes one event after the other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._output = Output(report)
        self._number = 0
        self._seen: set[str] = set()
        self._begun = False
        self._ended = False
        self._error = False
        self._birth: dict[str, object] = {}

    def take(self, event: Any) -> None:
        """Take an event, whatever it is."""
        kind = event.get("type") if isinstance(event, dict) else None
        self._check_first(kind)
        if not isinstance(kind, str):
            self._report.add("event-object", f"Expected an object with a type, got {shown(event)}.")
            self._number += 1
            return
        kind = self._known(kind)
        self._check_number(event)
        if kind is None:
            return
        fine = check_event(kind, event, self._report)
        self._check_order(kind)
        if self._ended:
            self._check_ended(kind)
        elif "response" in EVENTS[kind]:
            self._check_snapshot(kind, event)
        else:
            self._output.take(kind, event if fine else self._output.places.filled(kind, event))
        self._seen.add(kind)
        self._error = kind == "error"

    def end(self) -> None:
        """Say what is missing at the end."""
        if not self._begun:
            self._report.add("created-first", "There is no event.")
        if self._error and not self._ended:
            self._report.add("error-then-failed", "The stream ends after an error event.")
        if not self._ended:
            self._report.add("one-terminal", "The stream ends without response.completed, .incomplete or .failed.")

    # -- order --------------------------------------------------------------------------------------------------

    def _known(self, kind: str) -> str | None:
        """Return the event's type in the words of the spec; None if it isn't one of the spec's."""
        if kind in EVENTS:
            return kind
        slug, colon, name = kind.partition(":")
        if slug and colon and name:
            return None
        ours = _OTHER_NAMES.get(kind)
        hint = f"Open Responses calls it {ours}." if ours else "Own types are written slug:name."
        self._report.add("known-type", f"There is no event {shown(kind)}. {hint}")
        return ours

    def _check_first(self, kind: object) -> None:
        if self._begun and kind == "response.created":
            self._report.add("created-first", "response.created comes later than first.")
        elif not self._begun and kind != "response.created":
            self._report.differs("created-first", "first event", "response.created", kind)
        self._begun = True

    def _check_number(self, event: _Object) -> None:
        number = event.get("sequence_number")
        if type(number) is not int:
            if event.get("type") not in EVENTS:
                what = "required-keys" if "sequence_number" not in event else "key-types"
                self._report.add(what, f"{shown(event.get('type'))} has no sequence_number that is a whole number.")
            self._number += 1
            return
        if number != self._number:
            self._report.differs("sequence-numbers", "sequence_number", self._number, number)
        self._number = number + 1

    def _check_order(self, kind: str) -> None:
        report = self._report
        if kind in _OPENING[1:]:
            self._check_opening(kind)
        elif "output_index" in EVENTS[kind] and not (self._output.begun or "response.in_progress" in self._seen):
            report.add("lifecycle-order", f"{kind} comes before response.in_progress.")
        if self._error and kind != "response.failed":
            report.add("error-then-failed", f"{kind} follows an error event, expected response.failed.")

    def _check_opening(self, kind: str) -> None:
        late = kind in self._seen or self._output.begun
        if late or (kind == "response.queued" and "response.in_progress" in self._seen):
            self._report.add("lifecycle-order", f"{kind} comes again or too late.")

    def _check_ended(self, kind: str) -> None:
        rule = "one-terminal" if kind in _TERMINAL else "nothing-after-terminal"
        self._report.add(rule, f"{kind} comes after the event that ended the stream.")

    # -- responses ----------------------------------------------------------------------------------------------

    def _check_snapshot(self, kind: str, event: _Object) -> None:
        response = event.get("response")
        self._ended = kind in _TERMINAL
        if not isinstance(response, dict):
            return
        check_response(response, self._report)
        self._check_birth(response)
        status = response.get("status")
        if isinstance(status, str) and status not in _STATUSES[kind]:
            expected = " or ".join(_STATUSES[kind])
            self._report.add("status-fits-event", f"{kind} has the status {shown(status)}, expected {expected}.")
        self._check_details(kind, response)
        self._check_usage(response.get("usage"))
        if self._ended:
            self._output.check_end(response)
        elif response.get("output"):
            self._report.add("output-empty-at-first", f"{kind} has output: {shown(response['output'])}.")

    def _check_birth(self, response: _Object) -> None:
        for key in ("id", "created_at"):
            if key in response and not same(before := self._birth.setdefault(key, response[key]), response[key]):
                self._report.differs("response-stable", f"response {key}", before, response[key])
        for key in ("created_at", "completed_at"):
            value = response.get(key)
            if type(value) is int and not 0 <= value < _LATEST_SECOND:
                self._report.add("times-in-seconds", f"response {key} is {shown(value)}, expected seconds since 1970.")

    def _check_details(self, kind: str, response: _Object) -> None:
        cancelled = response.get("status") == "cancelled"
        for key, rule, due in (
            ("completed_at", "completed-at", kind == "response.completed"),
            ("error", "error-when-failed", kind == "response.failed"),
            ("incomplete_details", "details-when-incomplete", kind == "response.incomplete" and not cancelled),
        ):
            if key in response and (response[key] is not None) is not due:
                expected = "a value" if due else "null"
                self._report.add(rule, f"{kind}: expected {expected} in {key}, got {shown(response[key])}.")

    def _check_usage(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        read, made, total = (usage.get(key) for key in ("input_tokens", "output_tokens", "total_tokens"))
        if type(read) is int and type(made) is int and type(total) is int and total != read + made:
            self._report.differs("usage-sum", "usage total_tokens", read + made, total)
        for whole, details, part in (
            (read, "input_tokens_details", "cached_tokens"),
            (made, "output_tokens_details", "reasoning_tokens"),
        ):
            found = usage.get(details)
            count = found.get(part) if isinstance(found, dict) else None
            if type(whole) is int and whole < 0:
                self._report.add("usage-parts", f"usage: {shown(whole)} tokens.")
            elif type(whole) is int and type(count) is int and not 0 <= count <= whole:
                self._report.add("usage-parts", f"usage {part}: {shown(count)} of {shown(whole)} tokens.")
