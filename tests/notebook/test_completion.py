"""Tab after `%agent`."""

from __future__ import annotations

import builtins
from keyword import kwlist
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter
from tests.notebook.scripts import MODELS as SCRIPTED

import agentbench

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

COMMANDS = {
    "agents",
    "assistants",
    "balance",
    "budget",
    "chat",
    "config",
    "help",
    "history",
    "keys",
    "new",
    "prices",
    "serve",
}
COMMANDS |= {"branch", "cassette", "compare", "delete", "export", "fix", "import", "open", "tree"}
COMMANDS |= {"files", "inspect", "know", "probe", "usage", "use"}
AGENTS = {"bot", "counter"}
MODELS = {"gone/m", *(f"scripted/{name}" for name in SCRIPTED)}


def completed(shell: Shell, text: str) -> set[str]:
    """Return what Tab offers at the end of the text."""
    with provisionalcompleter():
        return {each.text for each in shell.ip.Completer.completions(text, len(text))}


CASES = {
    "%agent ": COMMANDS,
    "%agent u": {"usage", "use"},
    "%%agent cha": {"chat"},
    "x = 1\n%agent ne": {"new"},
    "  %agent ne": {"new"},
    "%agent chat --te": {"--temperature"},
    "%agent chat -t 1 --ma": {"--max", "--max-output-tokens"},
    "%%agent --sy": {"--system"},
    "%agent usage --": {"--by", "--since", "--full", "--plot", "--live", "--export"},
    "%agent usage --by mo": {"model"},
    "%agent chat -a ": AGENTS,
    "%agent chat --agent cou": {"counter"},
    "%agent chat --model scripted/h": {"scripted/hello"},
    "%agent use scripted/": {each for each in MODELS if each.startswith("scripted")},
    "%agent use b": {"bot"},
    "%agent prices gone": {"gone/m"},
    "%agent chat --json my_s": {"my_schema"},
    "%agent chat --image my_s": {"my_schema"},
    "%agent help his": {"history"},
    "%agent files ": {"add", "retry", "delete"},
    "%agent know re": {"remove", "reindex"},
}
NOTHING = [
    "%agent chat Tell me ",
    "%agent chat --to ",
    "%agent chat hi\n",
    "%%agent\nusa",
    "%agent use bot ",
    "%agent files add ",
    "%agents u",
]


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES)
def test_tab_completes(shell: Shell, text: str, expected: set[str]) -> None:
    """Tab offers sub-commands, options, agents, models, variables and columns where they belong."""
    shell.run("my_schema = {}")
    assert completed(shell, text) == expected


@pytest.mark.parametrize("text", NOTHING)
def test_tab_keeps_out_of_the_prompt(shell: Shell, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of ours is offered in a prompt, in a cell's body, on the next line or after another magic."""
    offered = completed(shell, text)
    assert offered.isdisjoint({*COMMANDS, *AGENTS, *MODELS, "--to"} - {*dir(builtins), *kwlist})
    assert capsys.readouterr().err == ""


def test_conversations_are_completed(shell: Shell) -> None:
    """A conversation's id is found by Tab, for `use -c` and for `history`."""
    shell.run("%agent chat hi")
    [conversation] = agentbench.get_workbench().conversations()
    assert completed(shell, "%agent use -c conv") == {conversation.id}
    assert completed(shell, "%agent history conv") == {conversation.id}


def test_a_broken_config_completes_commands(plain_shell: Shell) -> None:
    """Tab stays quiet about a config that can't be read, and still knows the commands."""
    plain_shell.run("%load_ext agentbench")
    plain_shell.run("%config AgentMagics.config_file = 'missing.yaml'")
    assert completed(plain_shell, "%agent chat -a ").isdisjoint({"bot", "assistant"})
    assert completed(plain_shell, "%agent us") == {"usage", "use"}


def test_unloading_ends_it(shell: Shell) -> None:
    """After unloading, Tab offers nothing of ours."""
    shell.run("%unload_ext agentbench")
    assert completed(shell, "%agent ").isdisjoint(COMMANDS)
