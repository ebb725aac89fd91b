"""The newest runs of this process, event by event, for whoever wants to look at one afterwards."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import AgentbenchError, InvalidRequest, UnknownName
from agentbench.protocol import events as ev
from agentbench.protocol.recording import Recording, rebuilt
from agentbench.storage import responses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import CreateResponse, Event, Response
    from agentbench.storage.database import Database

__all__ = ["Recordings", "Trace", "recording_of"]

_RUNS = 64
_EVENTS = 200_000


class Trace:
    """One run's events as they came from the upstream, before any pacing, while it runs and after.

    `refusal` says why there are none and will be none.
    """

    def __init__(self, response_id: str, request: CreateResponse, source: str) -> None:
        self.response_id = response_id
        self.request = request
        self.source = source
        self.started_at = datetime.now(UTC)
        self._start = time.perf_counter()
        self._batches: list[tuple[float, Sequence[Event]]] = []
        self.count = 0
        self.refusal: str | None = None

    def add(self, batch: Sequence[Event]) -> None:
        """Note a batch and the time."""
        self._batches.append((time.perf_counter() - self._start, batch))
        self.count += len(batch)

    def refuse(self, error: Exception) -> None:
        """Note what ended it before its first event."""
        told = error.message if isinstance(error, AgentbenchError) else f"agentbench failed ({type(error).__name__})."
        self.refusal = f"There was no answer: {told}"

    @property
    def ended(self) -> bool:
        """Whether no more will come, however it ended."""
        return self.refusal is not None or isinstance(self.last, ev.TERMINAL)

    @property
    def last(self) -> Event | None:
        """The newest event."""
        return self._batches[-1][1][-1] if self._batches else None

    def recording(self) -> Recording:
        """Return what there is so far."""
        came = list(self._batches)
        return Recording.of(
            (event for _, batch in came for event in batch),
            tuple(seconds for seconds, batch in came for _ in batch),
            id=self.response_id,
            source=self.source,
            notes=() if self.refusal is None else (self.refusal,),
            request=msgspec.json.decode(msgspec.json.encode(self.request)),
            started_at=self.started_at,
        )


class Recordings:
    """The traces of the newest runs, by response id: at most 64, and of 200,000 events in all."""

    def __init__(self) -> None:
        self._traces: OrderedDict[str, tuple[str, Trace]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, trace: Trace, *, user: str) -> None:
        """Keep the trace of a run that begins; older ones make room."""
        with self._lock:
            self._traces[trace.response_id] = (user, trace)
            while len(self._traces) > 1 and (len(self._traces) > _RUNS or self._events > _EVENTS):
                self._traces.popitem(last=False)

    def get(self, response_id: str, *, user: str) -> Trace | None:
        """Return a user's run; None if it isn't kept, or is another's."""
        with self._lock:
            owner, trace = self._traces.get(response_id, ("", None))
        return trace if owner == user else None

    def newest(self, *, user: str, limit: int = _RUNS) -> list[Trace]:
        """Return a user's newest runs, newest first."""
        with self._lock:
            kept = list(self._traces.values())
        return [trace for owner, trace in reversed(kept) if owner == user][:limit]

    @property
    def _events(self) -> int:
        return sum(trace.count for _, trace in self._traces.values())


def recording_of(
    recordings: Recordings, database: Database, response: Response | str | None, *, user: str
) -> Recording:
    """Return a user's run, the newest without a response; one that isn't kept any more is made from what is stored."""
    if response is None:
        newest = recordings.newest(user=user, limit=1)
        if not newest:
            raise InvalidRequest("Nothing was asked in this kernel yet. Ask first, or name a response.")
        return newest[0].recording()
    key = response if isinstance(response, str) else response.id
    if (trace := recordings.get(key, user=user)) is not None:
        return trace.recording()
    stored = database.read_now(partial(responses.get, response_id=key, user=user))
    if stored is None:
        raise UnknownName("response", key, [each.response_id for each in recordings.newest(user=user)])
    source = f"{stored.endpoint}/{stored.response.model.removeprefix(f'{stored.endpoint}/')}"
    return rebuilt(stored.response, source=source, started_at=stored.created_at)
