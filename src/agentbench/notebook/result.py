"""What an answer leaves behind: its text, events, usage and response, for the next cell to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.notebook import markdown
from agentbench.notebook.blocks import blocks_of, note_of, text_kind

if TYPE_CHECKING:
    import pandas as pd

    from agentbench.protocol import Event, Response
    from agentbench.storage.usage import UsageRow

__all__ = ["Result"]


class Result:
    """One answer, whole or as far as it came. A cell that ends in it shows it again."""

    def __init__(
        self,
        response: Response,
        row: UsageRow | None,
        events: list[Event],
        times: list[float],
        *,
        limit: int | None = None,
        warning: str | None = None,
    ) -> None:
        self.response = response
        self.usage = row
        self._events = events
        self._times = times
        self._limit = limit  # of a tool's result, for the model
        self._warning = warning

    @property
    def text(self) -> str:
        """The answer's text."""
        return self.response.output_text

    @property
    def parsed(self) -> Any:
        """The answer's text as JSON, for answers that were asked for with `--json`."""
        try:
            return msgspec.json.decode(self.text)
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"The answer is not JSON: {error}. {self._json_advice}") from None

    @property
    def _json_advice(self) -> str:
        """An answer that stopped early is cut JSON, however it was asked for."""
        return self.note or "Ask with --json SCHEMA."

    @property
    def events(self) -> pd.DataFrame:
        """Every event of the answer, one a row, with the seconds since the question."""
        from agentbench.frames import events_frame

        return events_frame(self._events, self._times)

    @property
    def note(self) -> str:
        """Why it stopped early, and what went wrong when it was stored; empty if nothing did."""
        return " ".join(filter(None, (note_of(self.response), self._warning)))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 - IPython's shape
        blocks = blocks_of(self.response.output, text=text_kind(self.response), limit=self._limit)
        return markdown.bundle(blocks, note=self.note, row=self.usage)
