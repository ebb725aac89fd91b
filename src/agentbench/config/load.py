"""The way in: a YAML file, a mapping or nothing, and the environment, become a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agentbench.config.assemble import azure, built_in
from agentbench.config.azure import azure_from_environ, azure_origin
from agentbench.config.discover import ASSISTANT, KINDS, environment_layer, is_offered, local_endpoint
from agentbench.config.endpoint import Catalog
from agentbench.config.remote import RemoteAccess, with_environ
from agentbench.config.retrieval import RetrievalSettings, switched

if TYPE_CHECKING:
    from agentbench.config.changes import Overrides
    from agentbench.config.document import Document

__all__ = ["Source", "catalog_of", "file_of", "load", "read"]

Source = str | Path | Mapping[str, object] | None
"""A path, the keys themselves, or None for the path in AGENTBENCH_CONFIG, if any."""

_VARIABLE = "AGENTBENCH_CONFIG"


def load(source: Source, environ: Mapping[str, str]) -> Catalog:
    """Return every endpoint and agent there is.

    Raises one `ConfigError` for all that is wrong: a line each, with file, line, column and key.
    """
    return catalog_of(read(source, environ), environ)


def catalog_of(document: Document | None, environ: Mapping[str, str], overrides: Overrides | None = None) -> Catalog:
    """Return the catalog of a document; None stands for an empty one, which takes no pydantic to read."""
    if document is None and not overrides:
        return _environment_only(environ)
    from agentbench.config.build import build
    from agentbench.config.document import document as empty

    return build(document or empty({}), environ, overrides)


def read(source: Source, environ: Mapping[str, str]) -> Document | None:
    """Return the values that a source holds, and where each was written; None if there is no source."""
    if isinstance(source, Mapping):
        from agentbench.config.document import document

        return document(source)
    path = file_of(source, environ)
    if path is None:
        return None
    from agentbench.config.yaml_file import read_file

    return read_file(path, named_by="" if source is not None else _VARIABLE)


def file_of(source: Source, environ: Mapping[str, str]) -> Path | None:
    """Return the file that a source means; None if it isn't one."""
    if isinstance(source, Mapping):
        return None
    if source is not None:
        return Path(source)
    named = environ.get(_VARIABLE)
    return Path(named) if named else None


def _environment_only(environ: Mapping[str, str]) -> Catalog:
    layers = {kind.name: (environment_layer(kind, environ),) for kind in KINDS if is_offered(kind, environ)}
    made = [built_in(kind, layers[kind.name], block=None) for kind in KINDS if kind.name in layers]
    if found := azure_from_environ(environ):
        made.insert(0, azure(found, (), origin=azure_origin(environ)))
    return Catalog(
        endpoints={each.name: each for each in (local_endpoint(environ), *made)},
        agents={ASSISTANT.id: ASSISTANT},
        remote=with_environ(RemoteAccess(), environ),
        retrieval=switched(RetrievalSettings(), environ),
        layers=layers,
    )
