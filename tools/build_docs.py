"""Fill the marked regions of the documents with tables made from the code.

    python tools/build_docs.py [--check] [FOLDER]

A region lies between `<!-- begin: NAME -->` and `<!-- end -->`. With --check nothing is written: each stale page is
named, and the exit status is 1 if there is any.
"""

from __future__ import annotations

import argparse
import inspect
import math
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import config_keys
import routes

from agentbench import errors
from agentbench.notebook.magics import AgentMagics
from agentbench.notebook.magics.commands import COMMANDS
from agentbench.protocol import Event, Item, grammar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DOCS = Path(__file__).parent.parent / "docs"
REGION = re.compile(r"(<!-- begin: (?P<name>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
TRAIT_TYPES = {"Unicode": "text", "Float": "number", "Int": "whole number"}


def main() -> int:
    """Write or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is stale")
    parser.add_argument("folder", nargs="?", type=Path, default=DOCS, help="where the pages are (default: docs)")
    options = parser.parse_args()
    stale = [page for page in sorted(options.folder.glob("*.md")) if build(page, write=not options.check)]
    for page in stale:
        print(f"{page}: {'stale; run python tools/build_docs.py' if options.check else 'written'}")
    return 1 if options.check and stale else 0


def build(page: Path, *, write: bool) -> bool:
    """Return whether the page's regions differ from what the code says; bring them up to date if asked to."""
    before = page.read_text(encoding="utf-8")
    after = REGION.sub(lambda found: f"{found[1]}\n{REGIONS[found['name']]()}\n\n{found[3]}", before)
    if write and after != before:
        page.write_text(after, encoding="utf-8")
    return after != before


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def commands() -> str:
    """Return the table of sub-commands."""
    rows = [
        (f"[`%agent {name}`](#agent-{name})", f"`{each.argument}`" if each.argument else "", each.summary)
        for name, each in COMMANDS.items()
    ]
    return table(("command", "then", "what it does"), rows)


def options_of(name: str) -> str:
    """Return the table of a sub-command's options."""
    rows = [
        (", ".join(f"`{each}`" for each in option.names), f"`{option.value}`" if option.value else "", option.help)
        for option in COMMANDS[name].options
    ]
    return table(("option", "value", "what it does"), rows)


def settings() -> str:
    """Return the table of what `%config AgentMagics` sets."""
    rows = [
        (f"`{name}`", trait_type(trait), f"`{trait.default_value!r}`", trait.help)
        for name, trait in AgentMagics.class_own_traits(config=True).items()
    ]
    return table(("setting", "type", "default", "what it does"), rows)


def trait_type(trait: Any) -> str:
    """Return a setting's type in plain words."""
    low, high = getattr(trait, "min", None), getattr(trait, "max", None)
    limits = f", {low:g} to {high:g}" if low is not None and high not in (None, math.inf) else ""
    return TRAIT_TYPES[type(trait).__name__] + limits + (" or None" if trait.allow_none else "")


def error_tree() -> str:
    """Return the tree of errors with their status, type and code."""
    rows = list(branches(errors.AgentbenchError, "", ""))
    width = max(len(label) for label, _ in rows) + 2
    lines = [f"{label:{width}}{kind.status}  {kind.type:23}{kind.code}" for label, kind in rows]
    head = f"{'':{width}}HTTP {'type':23}{'code'}"
    return "\n".join(["```text", head, *lines, "```"])


def branches(
    kind: type[errors.AgentbenchError], before: str, below: str
) -> Iterator[tuple[str, type[errors.AgentbenchError]]]:
    """Yield an error and those below it; `before` and `below` are the lines of the tree on its left and under it."""
    yield f"{before}{kind.__name__}", kind
    inner = kind.__subclasses__()
    for each in inner:
        last = each is inner[-1]
        yield from branches(each, below + ("└── " if last else "├── "), below + ("    " if last else "│   "))


def shared_keys() -> str:
    """Return the table of the settings that every endpoint has."""
    rows = [(f"`{each.path}`", *each[1:]) for each in config_keys.shared_keys()]
    return table(("setting", "type", "default", "example", "what it is"), rows)


def other_keys() -> str:
    """Return the table of the config's other keys."""
    rows = [
        (f"`{each.path}`", *each[1:4], config_keys.layers(each.path), each.what) for each in config_keys.other_keys()
    ]
    return table(("key", "type", "default", "example", "layers", "what it is"), rows)


def ignored() -> str:
    """Return the table of keys that are passed over."""
    rows = [(", ".join(f"`{path}{name}`" for name in names), why) for path, names, why in config_keys.ignored()]
    return table(("passed over", "why"), rows)


def events() -> str:
    """Return the table of the events that every answer is made of."""
    return msgspec_table(get_args(Event), "event")


def items() -> str:
    """Return the table of the items that an answer may hold."""
    return msgspec_table(get_args(Item), "item")


def msgspec_table(kinds: Iterable[Any], first: str) -> str:
    """Return the table of tagged structs: tag, fields besides it, and what each is."""
    rows = [
        (
            f"`{kind.__struct_config__.tag}`",
            ", ".join(f"`{name}`" for name in kind.__struct_encode_fields__),
            (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " "),
        )
        for kind in kinds
    ]
    return table((first, "fields", "what it says"), rows)


REGIONS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "errors": error_tree,
    "shared settings": shared_keys,
    "other keys": other_keys,
    "ignored keys": ignored,
    "events": events,
    "items": items,
    "routes": routes.tables,
    "stream rules": partial(grammar.rules_table, grammar.RULES),
    "frame rules": partial(grammar.rules_table, grammar.FRAME_RULES),
    "chat rules": partial(grammar.rules_table, grammar.CHAT_RULES),
    **{f"options of {name}": partial(options_of, name) for name, each in COMMANDS.items() if each.options},
}

if __name__ == "__main__":
    sys.exit(main())
