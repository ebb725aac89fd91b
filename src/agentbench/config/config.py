"""The config of a running workbench: what holds, who said so, and how to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from agentbench.config.changes import Edit, with_edits
from agentbench.config.discover import ASSISTANTS
from agentbench.config.explain import all_settings, setting_of
from agentbench.config.header_preview import headers_preview
from agentbench.config.layers import HEADERS
from agentbench.config.load import catalog_of, file_of, read
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from agentbench.config.changes import Overrides
    from agentbench.config.document import Document
    from agentbench.config.endpoint import Catalog
    from agentbench.config.layers import Setting
    from agentbench.config.load import Source
    from agentbench.config.problem import Problem

__all__ = ["Config"]

_SHARED = ("all", "agents")


class Config:
    """A config that can be looked into and changed; `changed` is called with each new catalog.

    A change that doesn't fit is refused with a `ConfigError`, and everything stays as it was.
    """

    def __init__(
        self, source: Source, environ: Mapping[str, str], *, changed: Callable[[Catalog], None] | None = None
    ) -> None:
        self._source = source
        self.environ = environ
        self._changed = changed
        self._overrides: Overrides = {}
        self._document = read(source, environ)
        self.catalog = catalog_of(self._document, environ)

    @property
    def file(self) -> Path | None:
        """The file that was read, and that changes are saved in; None if there is none."""
        return file_of(self._source, self.environ)

    @property
    def document(self) -> Document | None:
        """What was read, with the place of each key; None if nothing was."""
        return self._document

    @property
    def session(self) -> Overrides:
        """What was set in this session, by block and the path of a key in it; don't change it."""
        return self._overrides

    def explain(self, endpoint: str, key: str, *, agent: str | None = None) -> Setting:
        """Return a setting of an endpoint: its value, the layer and place that set it, and what it overrode.

        `agent` asks what holds where that agent answers. A header's key is `headers.NAME`. Raises `UnknownName`.
        """
        return setting_of(self.catalog, endpoint, key, agent=agent)

    def settings(self, *, agent: str | None = None) -> dict[str, dict[str, Setting]]:
        """Return every setting that holds, by endpoint and key."""
        return {name: all_settings(self.catalog, name, agent=agent) for name in self.catalog.endpoints}

    def set(self, name: str, value: Any, *, save: bool = False) -> Setting | None:
        """Change `ENDPOINT.KEY`, or `all.KEY` and `agents.KEY`, for this session, or with `save` in the file.

        Returns the endpoint's setting as it is now; None for `all` and `agents`. Raises `ConfigError` for a value that
        doesn't fit, `UnknownName` for an endpoint that there isn't.
        """
        block, path = self.split(name)
        edits = [Edit(block, path, value)]
        self.change(session=[] if save else edits, file=edits if save else [])
        return None if block in _SHARED else self.explain(block, ".".join(path) if path[0] == HEADERS else path[0])

    def unset(self, name: str) -> None:
        """Take back what `set` changed for this session; raises `InvalidRequest` if it changed nothing."""
        block, path = self.split(name)
        if path not in self._overrides.get(block, {}):
            raise InvalidRequest(f"{name} was not set in this session.")
        self.change(session=[Edit(block, path, UNSET)])

    def change(self, *, session: Iterable[Edit] = (), file: Iterable[Edit] = ()) -> None:
        """Change all of these keys or none: some for this session, some in the file, where they count from then on.

        Raises as `set` does, and `InvalidRequest` if there is no file.
        """
        written = list(file)
        saved = [Edit(each.block, each.path, UNSET) for each in written]
        overrides = with_edits(self._overrides, [*session, *saved])
        self._use(self._save(written, overrides) if written else self._document, overrides)

    def reload(self) -> None:
        """Read the file again; what was set for this session stays. Raises `ConfigError`, and keeps the old one."""
        self._use(read(self._source, self.environ), self._overrides)

    def preview_headers(self, endpoint: str, *, agent: str | None = None) -> Mapping[str, str]:
        """Return the configured headers of an endpoint as the person at the kernel sends them, secrets masked.

        What depends on a conversation is left as written; `agent` asks what holds where that agent answers. Where there
        are deployments, it is as for the first model. What the provider itself sends wins. Raises `UnknownName`.
        """
        return headers_preview(self.catalog, endpoint, agent=agent)

    def trial(
        self, session: Iterable[Edit] = (), removals: Iterable[Edit] = ()
    ) -> tuple[Catalog | None, list[Problem]]:
        """Return the catalog as it would be, with edits of the session and without keys of the file, and what is wrong.

        Nothing changes. Where single values are wrong, there is no catalog.
        """
        from agentbench.config.blocks import without
        from agentbench.config.build import attempt

        return attempt(without(self._document, removals), self.environ, with_edits(self._overrides, session))

    def restore(self, session: Iterable[Edit], *, now: bytes | None = None, then: bytes | None = None) -> None:
        """Take changes back: those of the session, and with `then` what the file held before it held `now`.

        Raises `InvalidRequest` if the file has changed since.
        """
        overrides = with_edits(self._overrides, session)
        self._use(self._document if then is None else self._put_back(now, then, overrides), overrides)

    def _use(self, document: Document | None, overrides: Overrides) -> None:
        self.catalog = catalog_of(document, self.environ, overrides)
        self._document, self._overrides = document, overrides
        if self._changed is not None:
            self._changed(self.catalog)

    def _save(self, edits: Iterable[Edit], overrides: Overrides) -> Document:
        from agentbench.config.edit import save

        if self.file is None:
            raise InvalidRequest("There is no file to save in. Name one: Workbench('agentbench.yaml').")
        return save(self.file, edits, self.environ, overrides)

    def _put_back(self, now: bytes | None, then: bytes, overrides: Overrides) -> Document | None:
        from agentbench.config.edit import replace_file
        from agentbench.config.yaml_file import parse_text

        if self.file is None or not self.file.expanduser().exists() or self.file.expanduser().read_bytes() != now:
            raise InvalidRequest(f"{self.file} has changed since, and undoing would lose that. Edit it by hand.")
        catalog_of(parse_text(then.decode("utf-8-sig"), self.file), self.environ, overrides)
        replace_file(self.file, then)
        return read(self._source, self.environ)

    def split(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the block and the path of a key: names of endpoints may hold dots too."""
        known = [*dict.fromkeys((*self.catalog.endpoints, ASSISTANTS)), *_SHARED]
        by_fold = {f"{each.casefold()}.": each for each in known}
        for prefix in sorted(by_fold, key=len, reverse=True):
            if name.casefold().startswith(prefix) and (rest := name[len(prefix) :]):
                return by_fold[prefix], _path(rest)
        block, _, key = name.partition(".")
        if not key:
            raise InvalidRequest(f"Write ENDPOINT.KEY, such as {known[0]}.titleModel, not {name!r}.")
        raise UnknownName("endpoint", block, known)


def _path(key: str) -> tuple[str, ...]:
    first, _, rest = key.partition(".")
    return (first, rest) if rest else (first,)
