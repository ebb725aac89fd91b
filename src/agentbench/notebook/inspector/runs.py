"""The runs that an inspector can show: what people may name one by, and the newest of a workbench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.gateway.stream import Stream
from agentbench.notebook.inspector.timeline import ENDS
from agentbench.notebook.result import Result
from agentbench.protocol import Response
from agentbench.protocol import events as ev
from agentbench.protocol.items import Message
from agentbench.protocol.recording import Recording, rebuilt
from agentbench.runner.title_text import first_words

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.runner.recordings import Trace
    from agentbench.workbench import Workbench

__all__ = ["Inspectable", "Runs"]

Inspectable = Recording | Response | Result | Stream | Path | str
"""A run: a recording, what an answer left, the id of a response, or a file of events."""

_FILES = (".jsonl", ".ndjson", ".sse", ".log", ".txt", ".json")
_LISTED = 30


class Runs:
    """The runs of the person at a workbench's kernel."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._kept = bench._runner.recordings  # noqa: SLF001 - the workbench shows one recording, not the list of them

    def find(self, run: Inspectable | None) -> Recording:
        """Return a run's recording, the newest run's without one.

        Raises `InvalidRequest` for a file that can't be read or holds no events, `UnknownName` for an unknown id.
        """
        if run is None or isinstance(run, Recording):
            return self._bench.recording() if run is None else run
        if isinstance(run, Result | Response):
            return self._of_result(run) if isinstance(run, Result) else self._of_response(run)
        if isinstance(run, Stream | str) and not _is_file(run):
            return self._bench.recording(run.response.id if isinstance(run, Stream) else run)
        if isinstance(run, Path | str):
            return _read(Path(run).expanduser())
        raise InvalidRequest(
            f"An object of type {type(run).__name__} is no run. Give a response or its id, a result, or a log's file."
        )

    def by_id(self, response_id: str) -> Recording:
        """Return the recording of a response of this person's; raises `UnknownName` if there is none."""
        return self._bench.recording(response_id)

    def newest(self) -> list[dict[str, Any]]:
        """Return what there is to choose from, newest first."""
        return [_told(trace) for trace in self._kept.newest(user=KERNEL.user, limit=_LISTED)]

    def goes_on(self, recording: Recording) -> bool:
        """Tell whether there will be more of a run than its recording has."""
        key = recording.response_id
        trace = None if key is None else self._kept.get(key, user=KERNEL.user)
        has_end = any(event.get("type") in ENDS for event in recording.events[-1:])
        return trace is not None and trace.refusal is None and not has_end

    def _of_result(self, result: Result) -> Recording:
        """Return what was kept of a result's run; later on, what the result itself holds, as it was drawn."""
        if (trace := self._kept.get(result.response.id, user=KERNEL.user)) is not None:
            return trace.recording()
        return Recording.of(result._events, result._times, source=result.response.model)  # noqa: SLF001 - no frame needed

    def _of_response(self, response: Response) -> Recording:
        try:
            return self._bench.recording(response)
        except UnknownName:  # another workbench's, or one that wasn't stored
            return rebuilt(response, source=response.model)


def _told(trace: Trace) -> dict[str, Any]:
    return {
        "id": trace.response_id,
        "source": trace.source,
        "at": trace.started_at.isoformat(),
        "words": first_words(_question(trace.request)),
        "status": _status(trace),
    }


def _status(trace: Trace) -> str:
    last = trace.last
    if isinstance(last, ev.TERMINAL):
        return last.response.status
    return "failed" if trace.ended else "running"


def _question(request: CreateResponse) -> str:
    """Return the text that was asked last."""
    messages = [item for item in request.input if isinstance(item, Message) and item.role == "user"]
    return messages[-1].text if messages else ""


def _is_file(run: Stream | str) -> bool:
    return isinstance(run, str) and (run.casefold().endswith(_FILES) or "/" in run)


def _read(file: Path) -> Recording:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{file} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file} is no text. A log has one event a line, or is a server-sent stream.") from None
    try:
        recording = Recording.from_jsonl(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"{file}: {error.message}") from None
    if not recording.events:
        raise InvalidRequest(f"{file} holds no events. A log has one event a line, or is a server-sent stream.")
    return recording if recording.source != "a log" else msgspec.structs.replace(recording, source=file.name)
