"""Cassettes of a workbench: one at a time is in, and takes in what goes out of it and comes back, or plays it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.header_templates import is_sensitive
from agentbench.errors import InvalidRequest
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agentbench.providers.cassettes.cassette import Cassette, Mode, ToolRuns

__all__ = ["InsertedCassette", "Taping"]


class InsertedCassette:
    """A cassette that is in a workbench until `eject`, or the end of its `with` block, takes it out."""

    def __init__(self, cassette: Cassette, eject: Callable[[Cassette], None]) -> None:
        self._cassette = cassette
        self._eject = eject

    @property
    def path(self) -> Path:
        """Where its file is."""
        return self._cassette.path

    @property
    def mode(self) -> Mode:
        """What it is in for."""
        return self._cassette.mode

    @property
    def played(self) -> int:
        """How many answers came from it."""
        return self._cassette.played

    @property
    def recorded(self) -> int:
        """How many answers went to it."""
        return self._cassette.recorded

    @property
    def missed(self) -> int:
        """How many requests it was to answer and couldn't."""
        return self._cassette.missed

    def eject(self) -> None:
        """Take it out, once the titles that are being made are on it. A second call does nothing."""
        self._eject(self._cassette)

    def __repr__(self) -> str:
        return repr(self._cassette)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.eject()


class Taping(Parts):
    """Records what goes out of this workbench and comes back, and replays it."""

    _inserted: InsertedCassette | None = None

    @property
    def inserted(self) -> InsertedCassette | None:
        """The cassette that is in."""
        return self._inserted

    def cassette(
        self,
        path: str | Path,
        mode: Mode = "auto",
        *,
        pace: bool = False,
        tools: ToolRuns | None = None,
        hide: Iterable[str] = (),
    ) -> InsertedCassette:
        """Put a cassette in: `record` anew, `replay` and ask nobody, or `auto`: play what is there and add the rest.

        `pace` replays as slowly as it was recorded. `tools`: whether tools `run` again in replay; without it Python
        functions do, and tools of MCP servers don't. `hide` are regular expressions of what is never to be in the file;
        keys never are. Raises `InvalidRequest` if one is in already, and for a file that can't be replayed.
        """
        from agentbench.providers.cassettes.cassette import Cassette

        self._open_loop()
        if self._inserted is not None:
            raise InvalidRequest(f"{self._inserted.path} is in. Take it out first: bench.inserted.eject()")
        cassette = Cassette(path, mode, pace=pace, tools=tools, hide=(hide,) if isinstance(hide, str) else tuple(hide))
        cassette.hiding.know(self._secrets_of_tools())
        self._inserted = InsertedCassette(cassette, self._take_out)
        self._providers.deck.tape = cassette
        return self._inserted

    def close(self) -> None:
        """End what still runs, close every connection, eject, write what is unwritten. A second call does nothing."""
        super().close()
        if self._inserted is not None:
            self._inserted.eject()

    def _take_out(self, cassette: Cassette) -> None:
        if self._providers.deck.tape is cassette:
            if not self._closed:
                self._loop.portal.call(self._runner.titles.settled)
            self._providers.deck.tape = self._inserted = None
            cassette.close()

    def _secrets_of_tools(self) -> Iterator[str]:
        for server in self.catalog.mcp_servers.values():
            named = (*server.env.items(), *server.headers.items())
            yield from (value for name, value in named if is_sensitive(name))
