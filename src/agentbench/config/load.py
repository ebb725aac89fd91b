"""The way in: a YAML file, a mapping or nothing, and the environment, become a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agentbench.config.discover import ASSISTANT, discover
from agentbench.config.endpoint import Catalog

if TYPE_CHECKING:
    from agentbench.config.document import Document

__all__ = ["load"]

_VARIABLE = "AGENTBENCH_CONFIG"


def load(source: str | Path | Mapping[str, object] | None, environ: Mapping[str, str]) -> Catalog:
    """Return every endpoint and agent there is; a str is a path, None means the path in AGENTBENCH_CONFIG, if any.

    Raises one `ConfigError` for all that is wrong: a line each, with file, line, column and key.
    """
    document = _read(source, environ)
    if document is None:
        return Catalog(endpoints=discover(environ), agents={ASSISTANT.id: ASSISTANT})
    from agentbench.config.build import build

    return build(document, environ)


def _read(source: str | Path | Mapping[str, object] | None, environ: Mapping[str, str]) -> Document | None:
    if isinstance(source, Mapping):
        from agentbench.config.document import document

        return document(source)
    named = environ.get(_VARIABLE) if source is None else None
    if source is None and not named:
        return None
    from agentbench.config.yaml_file import read_file

    return read_file(Path(source or named or ""), named_by=_VARIABLE if named else "")
