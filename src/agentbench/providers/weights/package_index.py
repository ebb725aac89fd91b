"""Which package indexes the user has configured. Names no host itself: what nobody configured, pip knows.

Variables come first. Unless one of them replaces the main index, pip is asked for its own settings and default, in a
process of its own; an environment without pip has the one that lies in the standard library's `ensurepip`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Index", "configured_indexes"]

_MAIN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_EXTRA = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_UV_NAME = re.compile(r"^[\w.-]+=(?=\w+://)")  # uv takes `name=https://…` too
_PIP_SECONDS = 60
_ASK_PIP = """
import json, sys
sys.path.extend(sys.argv[1:])
from pip._internal.commands import create_command
options, _ = create_command("download").parse_args([])
urls = [] if options.no_index else [options.index_url, *options.extra_index_urls]
print(json.dumps({"urls": urls, "certificates": options.cert}))
"""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """A package index: `url` has no credentials, so that it can be shown."""

    url: str
    login: tuple[str, str] | None = None
    certificates: str | None = None

    def __repr__(self) -> str:
        return f"Index({self.url!r})"


class _Pip(msgspec.Struct, frozen=True):
    urls: list[str] = []
    certificates: str | None = None


def configured_indexes() -> Iterator[Index]:
    """Yield the indexes to try, the likeliest first. Those that aren't HTTP (a folder) are left out."""
    seen = set()
    for index in chain(_from_variables(), _from_pip()):
        if index.url not in seen and index.url.startswith(("https://", "http://")):
            seen.add(index.url)
            yield index


def _from_variables() -> Iterator[Index]:
    certificates = os.environ.get("PIP_CERT")
    for name in (*_MAIN, *_EXTRA):
        for url in os.environ.get(name, "").split():
            yield _index(_UV_NAME.sub("", url), certificates)


def _from_pip() -> Iterator[Index]:
    if any(os.environ.get(name) for name in _MAIN):
        return
    pip = _ask_pip()
    for url in pip.urls:
        yield _index(url, pip.certificates)


def _index(url: str, certificates: str | None) -> Index:
    """Take the credentials out of the URL: it is logged and shown, they must not be."""
    parts = urlsplit(url)
    _, _, host = parts.netloc.rpartition("@")
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    shown = parts._replace(netloc=host).geturl().rstrip("/")
    return Index(url=shown, login=login, certificates=certificates)


def _ask_pip() -> _Pip:
    command = [sys.executable, "-P", "-W", "ignore", "-c", _ASK_PIP, *map(str, _bundled_pip())]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_PIP_SECONDS)  # noqa: S603 - our own words
        return msgspec.json.decode(done.stdout, type=_Pip)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return _Pip()


def _bundled_pip() -> Iterable[Path]:
    """Return the pip wheels of `ensurepip`; some systems keep them in a folder of their own."""
    spec = find_spec("ensurepip")
    folders = [Path(spec.origin).parent / "_bundled"] if spec and spec.origin else []
    if configured := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(configured))
    return chain.from_iterable(folder.glob("pip-*.whl") for folder in folders)
