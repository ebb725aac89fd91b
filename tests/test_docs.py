"""The documents say what the code does: names, keys, variables, routes; and what they show runs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from tests.conftest import SETTINGS

import agentbench
from agentbench import Stream, Workbench, errors, frames
from agentbench.__main__ import _BALANCE_COMMANDS, _COMMANDS, _KEY_COMMANDS, _MODEL_COMMANDS, _USER_COMMANDS
from agentbench.config.schema import File
from agentbench.config.section import Section, section_in
from agentbench.config.shared_schema import SharedSection
from agentbench.notebook.magics import AgentMagics
from agentbench.notebook.magics.commands import COMMANDS
from agentbench.notebook.result import Result
from agentbench.storage.usage import UsageRow
from agentbench.surfaces import AGENTS_API, ASSISTANTS_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode
    from pydantic.fields import FieldInfo

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
ALL_PAGES = [*PAGES, *sorted(PROJECT.glob("*.md"))]

BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]+\]\((?P<path>[^)#:]*)(?:#(?P<anchor>[^)]+))?\)")
MACHINE_PATH = re.compile(r"(?<![\w~.])/(?:root|home|work|tmp|usr|var|Users|opt)\b|\b[A-Z]:\\")
VARIABLE = re.compile(r"[A-Z]+(_[A-Z]+)+")
NOT_VARIABLES = {"INVALID_JSON", "LOCAL_MODEL", "WHEEL_PKG_DIR"}  # a key, a name in our code, and a build setting
FAMILIES = (*SETTINGS, "PIP_", "UV_")
SHOWS = re.compile(r"^%%?agent (?!new)", re.MULTILINE)  # commands that show something
NAMED = re.compile(r"`([^`]+)`")
CONTAINERS: dict[object, str] = {dict: "mapping to text", list: "list of text"}
TYPES: dict[object, str] = {bool: "true or false", float: "number", int: "whole number", str: "text"}


@cache
def text_of(page: Path) -> str:
    """Return a page."""
    return page.read_text(encoding="utf-8")


def page(name: str) -> str:
    """Return a page of docs."""
    return text_of(DOCS / f"{name}.md")


def names_in(name: str) -> set[str]:
    """Return all that stands in backticks on a page of docs, outside blocks."""
    return set(NAMED.findall(BLOCK.sub("", page(name))))


def rows(text: str, first: str) -> list[list[str]]:
    """Return the rows of the table whose first column has that name."""
    lines = text.partition(f"\n| {first} |")[2].splitlines()[2:]
    end = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[:end]]


def build(*arguments: str | Path) -> tuple[int, str]:
    """Run tools/build_docs.py; return its exit status and what it prints."""
    command = [sys.executable, PROJECT / "tools" / "build_docs.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


# -- what the pages show runs ---------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A block to run, and what it must print, if the page says so."""

    source: str
    printed: str | None


def cells(text: str) -> Iterator[Cell]:
    """Yield a page's blocks as notebook cells: YAML is written to agentbench.yaml, a text block is what must come."""
    blocks = list(BLOCK.finditer(text))
    for number, block in enumerate(blocks):
        after = blocks[number + 1] if number + 1 < len(blocks) else None
        follows = after is not None and not text[block.end() : after.start()].strip()
        printed = after["body"] if after and follows and after["language"] == "text" else None
        if block["language"] == "yaml":
            yield Cell(f"%%writefile agentbench.yaml\n{block['body']}", None)
        elif block["language"] in {"python", "ipython"}:
            yield Cell(block["body"].rstrip("\n"), printed)


def printed_by(cell: NotebookNode) -> str:
    """Return what a cell that ran wrote to the standard output."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def shown_by(cell: NotebookNode) -> bool:
    """Tell whether a cell that ran shows a value or an answer."""
    return any(output.output_type in {"display_data", "execute_result"} for output in cell.outputs)


def fresh(text: str, folder: Path) -> Cell:
    """Return a cell after which the kernel is as good as new, in that folder, with what the page's config asks for."""
    variables = {"AGENTBENCH_HOME": str(folder)} | dict.fromkeys(re.findall(r"\$\{(\w+_\w+)\}", text), "made-up")
    lines = [
        "%reset -f",
        f"%cd -q {folder}",
        f"import os; os.environ.update({variables})",
        "get_ipython().extension_manager.unload_extension('agentbench')",
        "get_ipython().config.pop('AgentMagics', None);",
    ]
    return Cell("\n".join(lines), None)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[tuple[Cell, NotebookNode]]]:
    """Run all pages in one kernel, as what one page imports the next one has already; give the cells of each."""
    told = {page: [fresh(text_of(page), tmp_path_factory.mktemp(page.stem)), *cells(text_of(page))] for page in PAGES}
    notebook = new_notebook(cells=[new_code_cell(cell.source) for each in told.values() for cell in each])
    NotebookClient(notebook, allow_errors=True, timeout=60).execute()
    done = iter(notebook.cells)
    return {page: [(cell, next(done)) for cell in each] for page, each in told.items()}


@pytest.mark.timeout(600)  # the first of them waits until all pages have run
@pytest.mark.parametrize("page", [each for each in PAGES if any(cells(text_of(each)))], ids=lambda each: each.stem)
def test_page_runs(page: Path, runs: dict[Path, list[tuple[Cell, NotebookNode]]]) -> None:
    """The blocks of a page run from top to bottom, show something, and print what the page says."""
    for told, done in runs[page]:
        assert [output for output in done.outputs if output.output_type == "error"] == []
        assert told.printed is None or _stripped(printed_by(done)) == _stripped(told.printed)
        assert shown_by(done) or not SHOWS.search(told.source)


def _stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


# -- what the code has is on the pages ------------------------------------------------------------------------------


def examples() -> str:
    """Return all example lines of the page on magics."""
    return "\n".join(block["body"] for block in BLOCK.finditer(page("magics")))


def test_regions_are_fresh() -> None:
    """The tables that are made from the code are up to date."""
    assert build("--check") == (0, "")


def test_stale_region_is_named(tmp_path: Path) -> None:
    """The check names a page whose table differs from the code, and building mends it."""
    shutil.copytree(DOCS, tmp_path, dirs_exist_ok=True)
    stale = tmp_path / "magics.md"
    stale.write_text(page("magics").replace("`--system`", "`--sytsem`"), encoding="utf-8")
    assert build("--check", tmp_path) == (1, f"{stale}: stale; run python tools/build_docs.py\n")
    assert build(tmp_path) == (0, f"{stale}: written\n")
    assert stale.read_text(encoding="utf-8") == page("magics")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_shown(name: str) -> None:
    """Each sub-command has a section and an example, and each of its options a table row and an example."""
    section = page("magics").partition(f"\n## `%agent {name}`\n")[2].partition("\n## ")[0]
    assert f"%agent {name}" in examples()
    options = [each for option in COMMANDS[name].options for each in option.names]
    assert [each for each in options if not re.search(rf"agent.* {each}\b", section)] == []
    assert [each for each in options if f"`{each}`" not in section] == []


def test_settings_are_shown() -> None:
    """Each setting of the magics has an example."""
    settings = AgentMagics.class_own_traits(config=True)
    assert [name for name in settings if f"%config AgentMagics.{name} = " not in examples()] == []


def test_errors_are_listed() -> None:
    """The page on errors says for each class, in the order of the code, what happened and what to do."""
    classes = [name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)]
    listed = rows(page("errors"), "error")
    assert [row[0] for row in listed] == [f"`{name}`" for name in classes]
    assert all(what and to_do for _, what, to_do in listed)


def test_public_names_are_listed() -> None:
    """The page on Python names all that `agentbench` offers, and all that a workbench, a stream and a result can do."""
    named = " ".join(names_in("python") | names_in("magics"))
    assert [name for name in agentbench.__all__ if name not in named] == []
    members = [name for kind in (Workbench, Stream, Result) for name in dir(kind) if not name.startswith("_")]
    assert [name for name in members if f".{name}" not in named] == []


def test_usage_columns_are_listed() -> None:
    """The page on Python names each column of the ledger, and each that usage can be summed up by."""
    named = names_in("python")
    assert [name for name in UsageRow.__struct_fields__ if name not in named] == []
    assert set(frames.GROUPS) - named == set()


def test_routes_are_listed(home: Path) -> None:
    """The pages on the APIs name each route of the gateway, one that has two addresses by either, and no other."""
    with Workbench(home=home) as bench:
        app: Any = bench.app
        methods = [
            (route.path.replace(":path}", "}"), getattr(route, "methods", {"WEBSOCKET"}) - {"HEAD"})
            for route in app.routes
            if not route.path.endswith("{idx:int}")  # told of once for all
        ]
        routes = {f"{method} {path}" for path, each in methods for method in each}
    names = names_in("api") | names_in("openwebui") | names_in("assistants")
    named = {name for name in names if re.match("(GET|POST|PUT|PATCH|DELETE|WEBSOCKET) /", name)} - {"GET /models"}
    twins = {name.replace(AGENTS_API, ASSISTANTS_API) for name in named}
    twins |= {name.replace(ASSISTANTS_API, AGENTS_API) for name in named}
    assert named - routes == set()
    assert routes - named - twins == set()


def test_shell_commands_are_listed() -> None:
    """The pages on configuration and identities list each command of the command line."""
    listed = [
        " ".join(NAMED.findall(row[0])[0].split()[1:3])
        for name in ("configuration", "identities")
        for row in rows(page(name), "command")
    ]
    assert [command.name for command in _COMMANDS] == ["serve", "check", "models", "keys", "users", "balance", "probe"]
    assert "agentbench serve" in page("serving")
    assert "\nagentbench probe " in page("probing")
    assert "`agentbench check FILE`" in page("configuration")
    groups = {
        "models": _MODEL_COMMANDS,
        "keys": _KEY_COMMANDS,
        "users": _USER_COMMANDS,
        "balance": _BALANCE_COMMANDS,
    }
    assert listed == [f"{group} {command.name}" for group, commands in groups.items() for command in commands]


def test_rooms_are_listed() -> None:
    """The page on architecture lists the rooms in the order that the linter holds."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        layers = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [room for layer in layers for room in layer.split(" | ") if not room.startswith(("(", "_version"))]
    listed = [
        NAMED.findall(row[0])[0].removesuffix("/").removesuffix(".py") for row in rows(page("architecture"), "room")
    ]
    assert listed == rooms


def exported(trees: list[ast.Module]) -> set[str]:
    """Return the names that modules list in `__all__`."""
    lists = [each for tree in trees for each in tree.body if isinstance(each, ast.Assign)]
    return {
        name for each in lists if ast.unparse(each.targets[0]) == "__all__" for name in ast.literal_eval(each.value)
    }


def test_environment_variables_are_listed() -> None:
    """The table of environment variables holds all that the code reads, and no other; families tell them by."""
    trees = [ast.parse(text_of(source)) for source in (PROJECT / "src").rglob("*.py")]
    texts = {each.value for tree in trees for each in ast.walk(tree) if isinstance(each, ast.Constant)}
    read = {text for text in texts - exported(trees) if isinstance(text, str) and VARIABLE.fullmatch(text)}
    placeholders = {option.value for command in COMMANDS.values() for option in command.options}
    listed = {name for row in rows(page("configuration"), "variable") for name in NAMED.findall(row[0])}
    assert listed == {name for name in read - placeholders - NOT_VARIABLES if name.startswith(FAMILIES)}


# -- the config's keys ----------------------------------------------------------------------------------------------

ENDPOINTS = re.compile(r"^endpoints\.(openAI|anthropic|google|bedrock|ollama|custom\[\]|assistants|azureAssistants)\.")


def keys(section: type[Section], path: str = "") -> Iterator[tuple[str, type[Section], FieldInfo]]:
    """Yield each key that holds a value: its path, the section that it stands in, and what the schema says of it."""
    for name, field in section.model_fields.items():
        place = f"{path}{field.alias or name}"
        inner = section_in(field.annotation)
        if isinstance(inner, type) and issubclass(inner, Section):
            kind = str(field.annotation)
            below = "[]." if "list[" in kind else ".NAME." if "dict[" in kind or "McpServers" in kind else "."
            yield from keys(inner, f"{place}{below}")
        else:
            yield place, section, field


def places(path: str, section: type[Section]) -> set[str]:
    """Return under which names a key may be listed: its own, or what it has in common with others."""
    last = path.rpartition(".")[2]
    shared = {field.alias or name for name, field in SharedSection.model_fields.items()}
    common = {path, ENDPOINTS.sub("endpoints.ENDPOINT.", path), path.replace("azureAssistants", "assistants")}
    return common | ({last} if issubclass(section, SharedSection) and last in shared else set()) | {f"{path}.NAME"}


def listed_keys() -> dict[str, list[str]]:
    """Return the rows of both tables of keys."""
    text = page("configuration")
    return {row[0].strip("`"): row[1:] for row in (*rows(text, "setting"), *rows(text, "key"))}


def test_config_keys_are_listed() -> None:
    """Each key of the schema is in a table, and each row of a table is a key."""
    listed = set(listed_keys())
    schema = [places(path, section) for path, section, _ in keys(File)]
    assert [names for names in schema if not names & listed] == []
    assert listed - set().union(*schema) == set()


def test_defaults_are_told() -> None:
    """Each row has a type, the schema's default, an example and a sentence."""
    listed = listed_keys()
    for path, section, field in keys(File):
        row = listed[path] if path in listed else next(listed[each] for each in places(path, section) & set(listed))
        assert all(row), path
        assert (row[1] == "required") == field.is_required(), path
        if isinstance(value := field.get_default(call_default_factory=True), bool | int | float):
            assert row[1] == f"`{str(value).lower()}`", path


def test_what_is_passed_over_is_listed() -> None:
    """The keys that are ignored stand in a table with the reason."""
    listed = " ".join(row[0] for row in rows(page("configuration"), "passed over"))
    sections = {section for _, section, _ in keys(File)}
    names = {name for section in sections for kind in section.__mro__ for name in vars(kind).get("ignored", {})}
    assert [name for name in names if f"{name}`" not in listed] == []


# -- the pages themselves -------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda each: each.stem)
def test_links_resolve(page: Path) -> None:
    """A relative link leads to a file, and its anchor to a heading there."""
    for link in LINK.finditer(BLOCK.sub("", text_of(page))):
        target = page.parent / link["path"] if link["path"] else page
        assert target.exists(), link[0]
        assert link["anchor"] is None or link["anchor"] in anchors(text_of(target)), link[0]


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda each: each.stem)
def test_page_names_no_machine(page: Path) -> None:
    """No page mentions a path of some machine."""
    assert MACHINE_PATH.findall(text_of(page)) == []


def test_glossary_is_sorted() -> None:
    """The glossary has each word once, in alphabetical order."""
    words = re.findall(r"^- \*\*(.+?)\*\*: ", page("glossary"), re.MULTILINE)
    assert len(words) > 30
    assert words == sorted(set(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.stem)
def test_prose_is_narrow(page: Path) -> None:
    """Lines of prose have at most 120 characters; tables may be wider."""
    lines = BLOCK.sub("", text_of(page)).splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []
