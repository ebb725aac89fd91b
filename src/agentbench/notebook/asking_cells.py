"""A conversation as the cells of a notebook: each question asks again when it is run, each answer stands below it."""

from __future__ import annotations

import base64
import re
from pprint import pformat
from typing import TYPE_CHECKING, Any

from agentbench.archives.branching import branches
from agentbench.archives.notebook_file import Cell, shown
from agentbench.errors import AgentbenchError
from agentbench.notebook import markdown
from agentbench.notebook.blocks import blocks_of, note_of, text_kind
from agentbench.notebook.sanitize import literal
from agentbench.notebook.twins import turn_rows
from agentbench.protocol.content import InputFile, InputImage
from agentbench.protocol.items import FunctionCall, Message
from agentbench.protocol.request import JsonObjectFormat, JsonSchemaFormat
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.archives.values import Archived
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow
    from agentbench.workbench import Workbench

__all__ = ["cells_of"]

_PROMPT = re.compile(r"^\s*(?:>>>|\.{3,}:?)(?: |$)|^\s*In \[\d+\]:", re.MULTILINE)
"""What IPython takes for a prompt, and takes away."""
_SEPARATORS = re.compile("[\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_DATA = re.compile(r"data:(?P<kind>image/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=\s]+)")


def cells_of(
    bench: Workbench, archived: Archived, *, all_branches: bool = False, title: str | None = None
) -> list[Cell]:
    """Return a conversation as cells: a title, one that loads the extension, then a cell a question."""
    current, *others = branches(archived)
    writer = _Writer(bench, turn_rows(bench.calls(archived.conversation)))
    body = writer.section(current)
    if all_branches:
        for number, each in enumerate(others, 2):
            body += [Cell("markdown", f"## Branch {number}"), Cell("code", "%agent new"), *writer.section(each)]
    named = title or archived.conversation.title or "Conversation"
    about = [f"# {literal(' '.join(named.split()))}", *writer.notes]
    if others and not all_branches:
        few = "Another branch of it is" if len(others) == 1 else f"{len(others)} other branches of it are"
        about.append(f"{few} not here.")
    return [Cell("markdown", "\n\n".join(about)), Cell("code", "%load_ext agentbench"), *body]


class _Writer:
    """Writes the cells of one notebook, and collects what a reader should know; `notes` are told once each."""

    def __init__(self, bench: Workbench, rows: dict[str, UsageRow]) -> None:
        self._bench = bench
        self._rows = rows
        self._names: dict[str, str] = {}  # of variables, by what they hold
        self._notes: dict[str, None] = {}
        self._tools: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """What can't be run again as it was."""
        told = list(self._notes)
        if self._tools:
            names = ", ".join(f"`{literal(name)}`" for name in self._tools)
            told.append(f"Answers used functions: {names}. To let them be called again, define them and add `--tools`.")
        return told

    def section(self, turns: Sequence[StoredResponse]) -> list[Cell]:
        """Return the cells of a branch."""
        cells: list[Cell] = []
        told: list[str] = []  # what messages of the system's have said so far
        for turn in turns:
            told += [item.text for item in turn.input if isinstance(item, Message) and _is_told(item)]
            cells += self._turn(turn, told)
        return cells

    def _turn(self, turn: StoredResponse, told: Sequence[str]) -> list[Cell]:
        asked = [item for item in turn.input if isinstance(item, Message) and not _is_told(item)]
        words = "\n\n".join(item.text for item in asked if item.text).strip("\n")
        images = [part.image_url for item in asked for part in item.content if isinstance(part, InputImage)]
        cells: list[Cell] = []
        options = [*self._who(turn), *_parameters(turn)]
        instructions = " ".join(" ".join(filter(None, (*told, turn.response.instructions))).split())
        if instructions:
            options += ["--system", _quoted(instructions)]
        options += self._schema(turn, cells) + self._images([each for each in images if each], cells)
        if any(isinstance(part, InputFile) for item in asked for part in item.content):
            self._notes["A file that was sent along is not sent again."] = None
        self._note_tools(turn)
        return [*cells, Cell("code", self._source(words, options), self._outputs(turn))]

    def _who(self, turn: StoredResponse) -> list[str]:
        """Return the options that name who answers, where that isn't who answers anyway."""
        bench, default = self._bench, self._bench.catalog.default_agent.id
        agent = turn.agent if turn.agent is not None and _is_here(bench, turn.agent) else default
        name = turn.response.model
        if name.partition("/")[0] not in bench.catalog.endpoints:
            name = f"{turn.endpoint}/{name}"
        options = [] if agent == default else ["-a", _quoted(agent)]
        try:
            usual = bench.find_target(agent).name
            if name != usual:
                options += ["-m", _quoted(bench.find_target(agent, name).name)]
        except AgentbenchError:
            self._notes[f"Some answers are {literal(name)}'s, which this configuration doesn't have."] = None
        return options

    def _schema(self, turn: StoredResponse, cells: list[Cell]) -> list[str]:
        """Return the option that asks for JSON, and put a cell with the schema before it."""
        form = turn.response.text.format
        if isinstance(form, JsonObjectFormat):
            return self._variable("schema", "{'type': 'object'}", cells)
        if isinstance(form, JsonSchemaFormat):
            return self._variable("schema", pformat(form.schema or {"type": "object"}, width=100), cells)
        return []

    def _variable(self, kind: str, source: str, cells: list[Cell]) -> list[str]:
        if source not in self._names:
            self._names[source] = f"{kind}_{len(self._names) + 1}"
            cells.append(Cell("code", f"{self._names[source]} = {source}"))
        return ["--json", self._names[source]]

    def _images(self, images: Sequence[str], cells: list[Cell]) -> list[str]:
        """Return the option that sends the first image again, and put a cell before it that shows each."""
        if len(images) > 1:
            self._notes["Of several images with a question, only the first is sent again."] = None
        names = [self._image(image, cells) for image in images]
        return ["--image", _quoted(names[0])] if names else []

    def _image(self, image: str, cells: list[Cell]) -> str:
        found = _DATA.fullmatch(image)
        if found is None:
            return image
        name = self._names.setdefault(image, f"image_{len(self._names) + 1}")
        data = base64.b64encode(base64.b64decode(found["data"])).decode()
        imports = "from base64 import b64decode\n\nfrom IPython.display import Image"
        source = f'{imports}\n\n{name} = Image(b64decode("{data}"))\n{name}'
        bundle = {found["kind"]: data, "text/plain": "<IPython.core.display.Image object>"}
        cells.append(Cell("code", source, (shown(bundle),), folded=True))
        return name

    def _note_tools(self, turn: StoredResponse) -> None:
        for item in turn.response.output:
            if isinstance(item, FunctionCall) and not is_search(item):
                self._tools[item.name] = None

    def _source(self, words: str, options: list[str]) -> str:
        """Return what asks again. A text that a cell can't hold as it is goes into a variable."""
        if not words.strip():
            return "# This turn asked nothing in words, so that it can't be asked again."
        if _PROMPT.search(words) or _SEPARATORS.search(words):
            name = f"question_{len(self._names) + 1}"
            self._names[name] = name
            return f"{name} = {words!r}\n{' '.join(['%agent chat', *options, f'{{{{{name}}}}}'])}"
        raw = ["--raw"] if "{{" in words else []
        return f"{' '.join(['%%agent chat', *options, *raw])}\n{words}"

    def _outputs(self, turn: StoredResponse) -> tuple[dict[str, Any], ...]:
        response = turn.response
        row = self._rows.get(response.id)
        blocks = blocks_of(response.output, text=text_kind(response))
        note = note_of(response)
        return (shown(markdown.bundle(blocks, note=note, row=row)),) if blocks or note else ()


def _is_told(item: Message) -> bool:
    return item.role in ("system", "developer")


def _parameters(turn: StoredResponse) -> Iterable[str]:
    if turn.response.temperature != 1.0:
        yield from ("-t", f"{turn.response.temperature:g}")
    if turn.response.max_output_tokens is not None:
        yield from ("--max", str(turn.response.max_output_tokens))


def _is_here(bench: Workbench, agent: str) -> bool:
    try:
        bench.find_agent(agent)
    except AgentbenchError:
        return False
    return True


def _quoted(text: str) -> str:
    """Return a value as an option's, in quotes if it needs them."""
    if re.fullmatch(r"[\w./:@%+=,?&#~-]+", text, re.ASCII) and not text.startswith("-"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
