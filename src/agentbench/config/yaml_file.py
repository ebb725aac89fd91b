"""A YAML file to a document: finding it, reading it, and saying in plain words what isn't YAML.

Neither messages nor causes repeat the file's text: a secret may stand on the broken line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from agentbench.config.document import document
from agentbench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from ruamel.yaml.error import StringMark

    from agentbench.config.document import Document

__all__ = ["parse_text", "read_file"]

_OPENED = "context"  # the place where a bracket or quote was opened, not where the reader gave up
_BROKEN = "problem"

_WORDS = (
    (r"expected ',' or", "a bracket that is never closed", _OPENED),
    (r"unexpected end of stream.*quoted scalar", "a quote that is never closed", _OPENED),
    (r"undefined alias", "an alias with no anchor; put a value that starts with '*' in quotes", _BROKEN),
    (r"character '\\t'", "a tab; indent with spaces", _BROKEN),
    (r"cannot start any token", "a character that can't start a value; put the value in quotes", _BROKEN),
    (r"mapping values are not allowed", "a ':' where none can be; check the indentation and quotes", _BROKEN),
    (r"could not find expected ':'", "a line with no ':'; check the indentation", _BROKEN),
    (r"expected <block end>", "a line that doesn't fit in; check the indentation", _BROKEN),
    (r'duplicate key "([^"]*)"', "the key {!r} is there twice in one mapping", _BROKEN),
    (r"another document", "a second document; a config is one, so remove '---'", _BROKEN),
    (r"unknown escape", "an unknown escape in double quotes; write '\\\\' for a backslash", _BROKEN),
    (r"", "not valid YAML", _BROKEN),
)


class _Constructor(RoundTripConstructor):
    """Leaves dates as text: a version or a model's name may look like one."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def read_file(path: Path, *, named_by: str = "") -> Document:
    """Return the file's values and places; `named_by` is the variable that holds the path, for messages."""
    return parse_text(_text(path, f" {named_by} names it." if named_by else ""), path)


def parse_text(text: str, path: Path) -> Document:
    """Return the values and places of a text that stands in that file, or is to."""
    yaml = YAML()
    yaml.Constructor = _Constructor
    try:
        node = yaml.load(text)
    except RecursionError:
        message = f"{path}: nested too deeply"
    except MarkedYAMLError as error:
        message = _explain(path, error, text)
    except (YAMLError, ValueError, TypeError, AttributeError):  # a tag may not fit its value
        message = f"{path}: not valid YAML. Look for control characters and '!!' tags"
    else:
        return document({} if node is None else node, label=str(path), folder=path.expanduser().parent)
    raise ConfigError(message)


def _text(path: Path, named_by: str) -> str:
    try:
        content = path.expanduser().read_bytes()
    except FileNotFoundError:
        message = f"There is no file {str(path)!r}.{named_by}{_neighbour(path.expanduser())}"
    except IsADirectoryError:
        message = f"{str(path)!r} is a folder, not a file.{named_by} Name the YAML file in it."
    except OSError as error:
        message = f"{str(path)!r} can't be read: {error.strerror}.{named_by}"
    else:
        return _decode(path, content)
    raise ConfigError(message)


def _neighbour(path: Path) -> str:
    files = [each.name for each in path.parent.glob("*.y*ml")]
    close = nearest(path.name, files)
    return f" Did you mean {close!r}?" if close else ""


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    raise ConfigError(f"{path}:{line}: not UTF-8 text. Save the file as UTF-8.")


def _explain(path: Path, error: MarkedYAMLError, text: str) -> str:
    said = f"{error.problem} {error.context}"
    match, words, place = next(
        (match, words, place) for needle, words, place in _WORDS if (match := re.search(needle, said, re.DOTALL))
    )
    words = words.format(*match.groups())
    mark: StringMark | None = error.problem_mark
    if place == _OPENED and error.context_mark is not None:
        mark = error.context_mark
    if mark is None:
        return f"{path}: {words}"
    line = text.splitlines()[mark.line : mark.line + 1]
    if line and re.match(r" *\t", line[0]):
        words = "a tab; indent with spaces"
    return f"{path}:{mark.line + 1}:{mark.column + 1}: {words}"
