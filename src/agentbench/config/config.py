"""The config of a running workbench: what holds, who said so, and how to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.config.effective import endpoint_for
from agentbench.config.explain import all_settings, setting_of
from agentbench.config.header_facts import AS_WRITTEN, KERNEL_FACTS
from agentbench.config.header_templates import overridden
from agentbench.config.load import catalog_of, file_of, read
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agentbench.config.blocks import Overrides
    from agentbench.config.document import Document
    from agentbench.config.endpoint import Catalog
    from agentbench.config.layers import Setting
    from agentbench.config.load import Source

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
        self._environ = environ
        self._changed = changed
        self._overrides: Overrides = {}
        self._document = read(source, environ)
        self.catalog = catalog_of(self._document, environ)

    @property
    def file(self) -> Path | None:
        """The file that was read, and that changes are saved in; None if there is none."""
        return file_of(self._source, self._environ)

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
        if save:
            self._save(block, path, value)
        else:
            changes = {**self._overrides.get(block, {}), path: value}
            self._use(self._document, {**self._overrides, block: changes})
        return None if block in _SHARED else self.explain(block, ".".join(path[:2]))

    def unset(self, name: str) -> None:
        """Take back what `set` changed for this session; raises `InvalidRequest` if it changed nothing."""
        block, path = self.split(name)
        kept = {key: value for key, value in self._overrides.get(block, {}).items() if key != path}
        if len(kept) == len(self._overrides.get(block, {})):
            raise InvalidRequest(f"{name} was not set in this session.")
        self._use(self._document, {**self._overrides, block: kept})

    def reload(self) -> None:
        """Read the file again; what was set for this session stays. Raises `ConfigError`, and keeps the old one."""
        self._use(read(self._source, self._environ), self._overrides)

    def preview_headers(self, endpoint: str, *, agent: str | None = None) -> Mapping[str, str]:
        """Return the configured headers of an endpoint as the person at the kernel sends them, secrets masked.

        What depends on a conversation is left as written; `agent` asks what holds where that agent answers. Where there
        are deployments, it is as for the first model. What the provider itself sends wins. Raises `UnknownName`.
        """
        known = None if agent is None else self.catalog.agent(agent)
        made = endpoint_for(self.catalog, self.catalog.endpoint(endpoint), known)
        deployment = made.deployments.get(made.default_model or "")
        templates = overridden(made.header_templates, deployment.header_templates if deployment else {})
        facts = {**KERNEL_FACTS, **AS_WRITTEN}
        shown = {name: each.preview(name, facts) for name, each in templates.items()}
        return {name: value for name, value in shown.items() if value is not None}

    def _use(self, document: Document | None, overrides: Overrides) -> None:
        self.catalog = catalog_of(document, self._environ, {name: each for name, each in overrides.items() if each})
        self._document, self._overrides = document, overrides
        if self._changed is not None:
            self._changed(self.catalog)

    def _save(self, block: str, path: tuple[str, ...], value: Any) -> None:
        from agentbench.config.edit import save

        if self.file is None:
            raise InvalidRequest("There is no file to save in. Name one: Workbench('agentbench.yaml').")
        document = save(self.file, block, path, value, self._environ)
        rest = {key: each for key, each in self._overrides.get(block, {}).items() if key != path}
        self._use(document, {**self._overrides, block: rest})

    def split(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the block and the path of a key: names of endpoints may hold dots too."""
        known = [*self.catalog.endpoints, *_SHARED]
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
