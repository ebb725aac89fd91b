"""Changes a config file where it lies: comments, order and quotes stay, and a wrong value never gets there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.util import load_yaml_guess_indent

from agentbench.config.blocks import path_of
from agentbench.config.load import catalog_of
from agentbench.config.yaml_file import parse_text, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.document import Document

__all__ = ["save"]

_WIDTH = 4096  # no line is broken that wasn't


def save(file: Path, block: str, path: tuple[str, ...], value: Any, environ: Mapping[str, str]) -> Document:
    """Write a key of an endpoint's block and return the file as it is then.

    Raises `ConfigError` if the file is wrong, or would be; then it is left alone.
    """
    read_file(file)  # says in plain words what isn't YAML
    place = file.expanduser().resolve()  # a link stays one
    before = place.read_bytes().decode("utf-8-sig")
    after = _changed(before, block, path, value)
    if after == before:
        return read_file(file)
    catalog_of(parse_text(after, file), environ)
    _written(place, after).replace(place)
    return read_file(file)


def _changed(text: str, block: str, path: tuple[str, ...], value: Any) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    data, sequence, dash = load_yaml_guess_indent(text, yaml=yaml)
    data = {} if data is None else data
    yaml.indent(mapping=_mapping_indent(text), sequence=sequence or _mapping_indent(text), offset=dash or 0)
    place: Any = data
    whole = (*path_of(data, block), *path)
    for part in whole[:-1]:
        if isinstance(part, str) and place.get(part) is None:
            place[part] = {}
        place = place[part]
    place[whole[-1]] = value
    out = StringIO(newline="")
    yaml.dump(data, out)
    return out.getvalue()


def _mapping_indent(text: str) -> int:
    """Return by how many blanks the first nested key is indented."""
    found = re.search(r"^( *)[^\s#-][^\n]*:[ ]*\n(?:\s*(?:#[^\n]*)?\n)*\1( +)[^\s#-]", text, re.MULTILINE)
    return len(found[2]) if found else 2


def _written(place: Path, text: str) -> Path:
    """Write a file beside another, with its rights, to be put in its place at once."""
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    shutil.copymode(place, name)
    return Path(name)
