"""Writes widgets into one HTML file that anybody can open: interactive, with no kernel, no server and no network.

The file holds each bundle and each widget's state. Its security policy lets only its own script run, by hash, and
fetches nothing. Where scripts don't run, the records are there. Conversations it also hands on, to be written into
files of other kinds.
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

    from agentbench.storage.conversations import Conversation
    from agentbench.workbench import Workbench
    from agentbench.workbench.archiving import Imported

__all__ = ["export", "import_conversations", "write_conversations"]

_PAGES = (".html", ".htm")
_ENDS = "It must end in .html, .ipynb, .md, .json or .jsonl."
_HEADINGS = {"chat": "Chat", "inspector": "Run", "tuner": "Settings", "dashboard": "Usage", "builder": "Assistant"}


def export(*things: Any, title: str | None = None, branches: bool = False) -> Path:
    """Write what is given into one file and return its path. The file is named first or last; its suffix says how.

    `.html` is a page with a widget a thing: a thing is a widget, a conversation, or a run in any form that
    `Workbench.inspect` takes. Conversations alone go into `.ipynb` (one, to be run again), `.md`, `.json` (all there
    is, to be imported again) and `.jsonl` (for fine-tuning); `branches` asks for more than the current one. Raises
    `InvalidRequest` where no file is named, or there is nothing to write.
    """
    path, rest = _named(things)
    if not rest:
        raise InvalidRequest("There is nothing to export. Give widgets, conversations or responses beside the file.")
    if path.suffix.lower() in _PAGES:
        return _written(path, _page([_widget(each) for each in rest], title or path.stem))
    from agentbench.notebook.extension import get_workbench

    bench = get_workbench()
    return write_conversations(bench, [_talk(bench, each) for each in rest], path, branches=branches, title=title)


def import_conversations(source: Path | str | bytes) -> Imported:
    """Take in the conversations of a file that some program wrote; see `Workbench.import_conversations`."""
    from agentbench.notebook.extension import get_workbench

    return get_workbench().import_conversations(source)


def write_conversations(
    bench: Workbench,
    conversations: Sequence[Conversation],
    path: Path,
    *,
    branches: bool = False,
    title: str | None = None,
) -> Path:
    """Write a workbench's conversations into a file of any kind, and return its path."""
    from agentbench.notebook import writing
    from agentbench.notebook.widgets.chat import ChatWidget

    path, suffix = path.expanduser(), path.suffix.lower()
    if suffix in _PAGES:
        chats = [ChatWidget(bench, conversation=each) for each in conversations]
        try:
            return _written(path, _page(chats, title or path.stem))
        finally:
            for chat in chats:
                chat.close()
    if suffix not in writing.SUFFIXES:
        raise InvalidRequest(f"{path.name}: {_ENDS}")
    text = writing.text_of(bench, conversations, suffix, all_branches=branches, title=title)
    return _written(path, text)


def _written(path: Path, text: str) -> Path:
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise InvalidRequest(f"{path} can't be written: {error.strerror or error}.") from None
    return path


def _named(things: Sequence[Any]) -> tuple[Path, list[Any]]:
    """Return the file that is named at one of the ends, and the rest."""
    known = (*_PAGES, ".ipynb", ".json", ".jsonl", ".md")
    for place in (0, -1):
        if things and isinstance(things[place], str | Path) and Path(things[place]).suffix.lower() in known:
            rest = list(things)
            return Path(rest.pop(place)), rest
    raise InvalidRequest(f'Name the file first or last, such as export("run.html", chat). {_ENDS}')


def _talk(bench: Workbench, thing: Any) -> Conversation:
    """Return the conversation that is meant."""
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.storage.conversations import Conversation

    found = thing.conversation if isinstance(thing, ChatWidget) else thing
    if isinstance(found, Conversation | str):
        return bench.find_conversation(found if isinstance(found, str) else found.id)
    raise InvalidRequest(
        f"An object of type {type(thing).__name__} goes only into a page. Name a file that ends in .html."
    )


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
