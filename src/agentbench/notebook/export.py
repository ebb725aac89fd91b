"""Writes widgets into one HTML file that anybody can open: interactive, with no kernel, no server and no network.

The file holds each bundle and each widget's state. Its security policy lets only its own script run, by hash, and
fetches nothing. Where scripts don't run, the records are there.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench import __version__
from agentbench.errors import InvalidRequest
from agentbench.notebook.widgets.base import STATIC, UNBUILT, BenchWidget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["export"]

_SUFFIXES = (".html", ".htm")
_HEADINGS = {"chat": "Chat", "inspector": "Run", "tuner": "Settings", "dashboard": "Usage", "builder": "Assistant"}


def export(*things: Any, title: str | None = None) -> Path:
    """Write what is given into one HTML file and return its path. The file is named first or last.

    A thing is a widget, a conversation, or a run in any form that `Workbench.inspect` takes. Raises `InvalidRequest`
    where no file is named, or there is nothing to write.
    """
    path, rest = _named(things)
    if not rest:
        raise InvalidRequest("There is nothing to export. Give widgets, conversations or responses beside the file.")
    page = _page([_widget(each) for each in rest], title or path.stem)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{path} can't be written: {error.strerror or error}.") from None
    return path


def _named(things: Sequence[Any]) -> tuple[Path, list[Any]]:
    """Return the file that is named at one of the ends, and the rest."""
    for place in (0, -1):
        if things and isinstance(things[place], str | Path) and Path(things[place]).suffix.lower() in _SUFFIXES:
            rest = list(things)
            return Path(rest.pop(place)), rest
    raise InvalidRequest('Name the file first or last, such as export("run.html", chat). It must end in .html.')


def _widget(thing: Any) -> BenchWidget:
    return thing if isinstance(thing, BenchWidget) else _opened(thing)


def _opened(thing: Any) -> BenchWidget:
    from agentbench.notebook.extension import get_workbench
    from agentbench.notebook.inspector.runs import Inspectable
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.notebook.widgets.inspector import Inspector, open_inspector
    from agentbench.protocol.recording import Recording
    from agentbench.storage.conversations import Conversation

    if isinstance(thing, Recording):
        return Inspector(thing)
    if isinstance(thing, Conversation) or (isinstance(thing, str) and thing.startswith("conv_")):
        return ChatWidget(get_workbench(), conversation=thing)
    if isinstance(thing, Inspectable):
        return open_inspector(get_workbench(), thing)
    raise InvalidRequest(f"An object of type {type(thing).__name__} can't be exported. Give a widget, or its response.")


def _page(widgets: Sequence[BenchWidget], title: str) -> str:
    names = list(dict.fromkeys(each.bundle for each in widgets))
    states = []
    for each in widgets:
        traits = each.exported()
        binary = [name for name, value in traits.items() if isinstance(value, bytes)]
        coded = {name: base64.b64encode(traits[name]).decode() for name in binary}
        states.append({"bundle": each.bundle, "traits": {**traits, **coded}, "binary": binary})
    data = {"bundles": {name: _static(f"{name}.js") for name in names}, "widgets": states}
    script = _static("host.js")
    return _PAGE.format(
        policy=_policy(script),
        title=html.escape(title),
        style="\n".join(_static(f"{name}.css") for name in ("host", *names)),
        sections="\n".join(_sections(widgets)),
        data=msgspec.json.encode(data).decode().replace("<", "\\u003c"),
        script=script,
        version=__version__,
    )


def _sections(widgets: Iterable[BenchWidget]) -> Iterable[str]:
    for each in widgets:
        record = each.record().bundle()["text/html"]
        yield f'<section class="agentbench-widget"><h2>{_HEADINGS[each.bundle]}</h2>{record}</section>'


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; img-src data: blob:"


def _static(name: str) -> str:
    try:
        return (STATIC / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise InvalidRequest(UNBUILT) from None


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{sections}
</main>
<footer>Written by agentbench {version}. This page holds all its data and asks no server for anything.</footer>
<script type="application/json" id="agentbench-page">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
