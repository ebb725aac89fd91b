"""Changes a config file where it lies: comments, order and quotes stay, and a wrong value never gets there."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from agentbench.config.blocks import path_of, put, taken_out
from agentbench.config.load import catalog_of
from agentbench.config.problem import spell
from agentbench.config.yaml_file import parse_text, read_file
from agentbench.config.yaml_lines import YamlText
from agentbench.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentbench.config.changes import Edit, Overrides
    from agentbench.config.document import Document
    from agentbench.config.problem import KeyPath

__all__ = ["edited", "replace_file", "save"]


def save(file: Path, edits: Iterable[Edit], environ: Mapping[str, str], overrides: Overrides | None = None) -> Document:
    """Write all that is to change, or nothing, and return the file as it is then.

    Raises `ConfigError` if the file is wrong, or would be, by itself or with what the session sets; then it is left
    alone.
    """
    before, after = edited(file, edits)
    if after != before:
        made = parse_text(after, file)
        catalog_of(made, environ)
        if overrides:
            catalog_of(made, environ, overrides)
        replace_file(file, after.encode())
    return read_file(file)


def edited(file: Path, edits: Iterable[Edit]) -> tuple[str, str]:
    """Return the file's text, and as it would be."""
    read_file(file)  # says in plain words what isn't YAML
    before = after = file.expanduser().read_bytes().decode("utf-8-sig")
    for each in edits:
        data = parse_text(after, file).data
        after = _changed(file, after, (*path_of(data, each.block), *each.path), each.value)
    return before, after


def replace_file(file: Path, content: bytes) -> None:
    """Put other content in the file's place at once; it keeps its rights, and a link stays one.

    Raises `ConfigError` where that isn't allowed.
    """
    place = file.expanduser().resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        shutil.copymode(place, name)
        Path(name).replace(place)
    except OSError as error:
        raise ConfigError(f"{str(file)!r} can't be written: {error.strerror}.") from None


def _changed(file: Path, text: str, path: KeyPath, value: Any) -> str:
    """Return the text in which just this key has changed: of several ways the one that keeps most of it."""
    data = parse_text(text, file).data
    wanted = copy.deepcopy(data) or {}
    if value is UNSET:
        taken_out(wanted, path)
    else:
        put(wanted, path, value)
    if wanted == (data or {}):
        return text
    for candidate in _candidates(file, text, path, value):
        if parse_text(candidate, file).data == wanted:
            return candidate
    raise InvalidRequest(f"{spell(path)} can't be changed without another key: an alias repeats it. Edit {file}.")


def _candidates(file: Path, text: str, path: KeyPath, value: Any) -> Iterator[str]:
    parent, key = _parent(YamlText(text).data, path), path[-1]
    old = parent.get(key) if isinstance(parent, dict) else None
    if isinstance(old, dict) and old and isinstance(value, dict) and value:
        yield _mixed(file, text, path, old, value)
    if text.strip():
        yield from filter(None, [_in_lines(YamlText(text), path, value)])
    whole = YamlText(text)
    if value is UNSET:
        _parent(whole.data, path).pop(key, None)
    else:
        put(whole.data, path, value)
    dumped = whole.dumped()
    if key in parent:
        yield from filter(None, [YamlText(text).grafted(path, YamlText(dumped))])
    yield dumped


def _mixed(file: Path, text: str, path: KeyPath, old: dict[str, Any], value: dict[str, Any]) -> str:
    """Change a mapping key by key, so that what stays keeps its comments."""
    changes = {key: UNSET for key in old if key not in value} | {
        key: each for key, each in value.items() if key not in old or old[key] != each
    }
    for key, each in changes.items():
        text = _changed(file, text, (*path, key), each)
    return text


def _in_lines(yaml: YamlText, path: KeyPath, value: Any) -> str | None:
    parent, key = _parent(yaml.data, path), str(path[-1])
    if not isinstance(parent, CommentedMap):
        return None
    if value is UNSET:
        return yaml.without(parent, key)
    if key not in parent:
        return yaml.added(parent, key, value)
    old = parent[key]
    if isinstance(old, CommentedSeq) and isinstance(value, list):
        return yaml.relisted(old, value)
    return yaml.replaced(parent, key, value) if isinstance(old, dict | list) else None


def _parent(data: Any, path: KeyPath) -> Any:
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else data[part]
        if data is None:
            return {}
    return data
