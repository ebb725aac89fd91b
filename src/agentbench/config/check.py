"""What becomes of each key of a config: used, ignored with the reason, or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from agentbench.config.assistants import overruled
from agentbench.config.assistants_schema import settings_of
from agentbench.config.balance_schema import LEDGER_FORCED, balance_warnings
from agentbench.config.build import attempt
from agentbench.config.header_templates import unknown_names
from agentbench.config.layers import HEADERS
from agentbench.config.problem import spell
from agentbench.config.schema import File
from agentbench.config.section import Section, fields_of, ignored_because, section_in
from agentbench.config.section_layers import SHARED_KEYS
from agentbench.config.yaml_file import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agentbench.config.document import Document
    from agentbench.config.endpoint import Catalog
    from agentbench.config.problem import KeyPath

__all__ = ["Finding", "State", "check"]

State = Literal["used", "ignored", "wrong"]

_HEADERS = frozenset({HEADERS, "additionalHeaders"})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a config file, and what becomes of it; `note` is the reason, or what else there is to know."""

    place: str
    """FILE:LINE:COLUMN"""
    key: str
    state: State
    note: str = ""


def check(file: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each key that was written, and for each that is missing, in the file's order.

    Raises `ConfigError` if the file can't be read at all.
    """
    document = read_file(file)
    catalog, problems = attempt(document, environ)
    wrong: dict[KeyPath, str] = {}
    for problem in problems:
        wrong.setdefault(problem.path, problem.text)
    read = _Reader(document, catalog, wrong)
    found = {path: (state, note) for path, state, note in read.keys(document.data, File, ())}
    found |= {path: ("wrong", text) for path, text in wrong.items()}
    return [_finding(document, path, *found[path]) for path in sorted(found, key=document.mark)]


def _finding(document: Document, path: KeyPath, state: State, note: str) -> Finding:
    mark = document.mark(path)
    return Finding(place=f"{document.label}:{mark.line}:{mark.column}", key=spell(path), state=state, note=note)


class _Reader:
    """One walk over a file, side by side with its sections."""

    def __init__(self, document: Document, catalog: Catalog | None, wrong: Mapping[KeyPath, str]) -> None:
        self._document = document
        self._catalog = catalog
        self._wrong = wrong

    def keys(self, data: Any, kind: Any, path: KeyPath) -> Iterator[tuple[KeyPath, State, str]]:
        """Yield what becomes of each key below a path."""
        if path in self._wrong:
            return
        if isinstance(kind, type) and issubclass(kind, Section) and isinstance(data, dict):
            yield from self._section(data, kind, path)
        elif isinstance(data, list) and _holds_sections(kind):
            for index, each in enumerate(data):
                yield from self.keys(each, section_in(kind), (*path, index))
        elif isinstance(data, dict) and (_holds_sections(kind) or path[-1] in {*_HEADERS, "models", "env"}):
            for name, each in data.items():
                yield from self.keys(each, section_in(kind), (*path, name))
        else:
            without = self._without_effect(path)
            yield (path, "ignored", without) if without else (path, "used", self._note(data, path))

    def _section(
        self, data: dict[str, Any], kind: type[Section], path: KeyPath
    ) -> Iterator[tuple[KeyPath, State, str]]:
        known = fields_of(kind)
        if note := self._block_note(path):
            yield path, "used", note
        for key, value in data.items():
            below = (*path, key)
            if (reason := ignored_because(kind, key)) is not None:
                yield below, "ignored", reason
            elif key in known and value is None:
                yield below, "ignored", "without a value it counts as not written"
            elif key in known:
                yield from self.keys(value, _inner(known[key]), below)

    def _block_note(self, path: KeyPath) -> str:
        """Say that an endpoint can't be used as it is."""
        if self._catalog is None or path[:1] != ("endpoints",):
            return ""
        endpoint = self._catalog.endpoints.get(self._name(path))
        return (endpoint.unsupported or "") if endpoint is not None and _is_block(path) else ""

    def _name(self, path: KeyPath) -> str:
        if path[1:2] == ("custom",) and len(path) > 2:  # noqa: PLR2004 - the index
            return str(self._document.data["endpoints"]["custom"][path[2]].get("name", ""))  # type: ignore[index]
        return str(path[1]) if len(path) > 1 else ""

    def _without_effect(self, path: KeyPath) -> str:
        """Say which other key leaves one of assistants without effect."""
        settings = settings_of(self._catalog, str(path[1])) if self._catalog and path[:1] == ("endpoints",) else None
        return overruled(settings).get(str(path[-1]), "") if settings is not None else ""

    def _note(self, value: Any, path: KeyPath) -> str:
        if isinstance(value, str) and path[0] != "mcpServers" and not _HEADERS.isdisjoint(path[:-1]):
            return " ".join(unknown_names(value))
        if path == ("transactions", "enabled") and self._catalog is not None and balance_warnings(self._catalog):
            return LEDGER_FORCED
        block = path[:-1]
        if path[-1] in SHARED_KEYS and path[-1] != HEADERS and _is_block(block):
            over = ("endpoints", "all", path[-1])
            if block != over[:2] and over in self._document.marks:
                return f"endpoints.all overrides it (line {self._document.mark(over).line})"
        return ""


def _is_block(path: KeyPath) -> bool:
    return path[:1] == ("endpoints",) and len(path) == (3 if path[1:2] == ("custom",) else 2)


def _inner(kind: Any) -> Any:
    """Return a key's type without its None and its checks."""
    inner = [each for each in get_args(kind) if each is not type(None)]
    if getattr(kind, "__origin__", None) in (list, dict) or not inner:
        return kind
    return _inner(inner[0])


def _holds_sections(kind: Any) -> bool:
    inner = section_in(kind)
    return isinstance(inner, type) and issubclass(inner, Section)
