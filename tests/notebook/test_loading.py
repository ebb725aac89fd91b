"""Loading and unloading the extension, its settings, and calls that a cell can't await."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import traitlets
from tests.notebook.scripts import CONFIG

import agentbench
from agentbench.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell

NAMES = ("agent", "_agent")


def state(shell: Shell) -> list[Any]:
    """Return all that loading changes in a shell."""
    ip = shell.ip
    return [
        sorted(ip.magics_manager.magics["line"]),
        sorted(ip.magics_manager.magics["cell"]),
        sorted(ip.magics_manager.registry),
        list(ip.configurables),
        list(ip.input_transformers_cleanup),
        list(ip.input_transformers_post),
        list(ip.Completer.custom_matchers),
        {event: list(callbacks) for event, callbacks in ip.events.callbacks.items()},
    ]


def test_unloading_leaves_nothing_behind(plain_shell: Shell) -> None:
    """Loaded and unloaded, the shell is as before; so it is the second time."""
    extensions, before = plain_shell.ip.extension_manager, state(plain_shell)
    for _ in range(2):
        extensions.load_extension("agentbench")
        assert set(NAMES) <= set(plain_shell.ip.magics_manager.magics["line"])
        extensions.unload_extension("agentbench")
        assert state(plain_shell) == before


def test_loading_twice_is_loading_once(shell: Shell) -> None:
    """A second load keeps the workbench, the settings and the conversation."""
    shell.run("%agent chat hi")
    bench, before = agentbench.get_workbench(), state(shell)
    agentbench.load_ipython_extension(shell.ip)
    assert state(shell) == before
    assert agentbench.get_workbench() is bench
    assert len(shell.run("%agent history")) == 1


def test_reloading_starts_afresh(shell: Shell) -> None:
    """After a reload the magics work again, with a workbench and a conversation of their own."""
    bench = agentbench.get_workbench()
    shell.run("%reload_ext agentbench")
    assert agentbench.get_workbench() is not bench
    assert agentbench.last() is None


def test_a_given_workbench_is_not_closed(shell: Shell) -> None:
    """Unloading closes the workbench that the magics made, not one that someone else made."""
    bench = agentbench.get_workbench()
    shell.run("%unload_ext agentbench")
    assert bench.ask("hi").output_text == "Hello **world**"


def test_an_own_workbench_is_closed(plain_shell: Shell) -> None:
    """The workbench that the magics made ends with them."""
    plain_shell.run("%load_ext agentbench")
    bench = agentbench.get_workbench()
    plain_shell.run("%unload_ext agentbench")
    with pytest.raises(InvalidRequest, match="This workbench is closed"):
        bench.ask("hi")


def test_without_the_extension_there_is_no_state(plain_shell: Shell) -> None:
    """What asks for the magics' state says how to load them."""
    with pytest.raises(InvalidRequest, match="Run: %load_ext agentbench"):
        agentbench.last()


def test_another_workbench_begins_anew(shell: Shell) -> None:
    """A new workbench comes without the old one's conversation, agent and model."""
    shell.run("%agent use scripted/json\n%agent chat hi")
    with agentbench.Workbench(CONFIG) as bench:
        agentbench.set_workbench(bench)
        assert agentbench.get_workbench() is bench
        assert [row[1] for row in shell.run("%agent use").rows] == ["bot", "scripted/hello", "a new one"]


# -- settings -------------------------------------------------------------------------------------------------------


def test_settings_are_shown(shell: Shell) -> None:
    """`%config AgentMagics` explains every setting."""
    shell.run("%config AgentMagics")
    for name in ("agent", "config_file", "max_output_tokens", "model", "temperature", "updates_per_second"):
        assert f"AgentMagics.{name}=" in shell.printed


def test_settings_count_until_a_call_says_otherwise(shell: Shell) -> None:
    """A setting is the default of its option."""
    shell.run("%config AgentMagics.model = 'scripted/json'\n%config AgentMagics.temperature = 0.5")
    shell.run("one = %agent chat hi\ntwo = %agent chat -t 1 -m scripted/hello hi")
    one, two = (shell.ip.user_ns[name].response for name in ("one", "two"))
    assert (one.output_text, one.temperature) == ('{"city": "Oslo"}', 0.5)
    assert (two.output_text, two.temperature) == ("Hello **world**", 1)


WRONG = ["temperature = 3", "temperature = 'hot'", "max_output_tokens = 0", "updates_per_second = 0", "model = 3"]


@pytest.mark.parametrize("setting", WRONG)
def test_a_wrong_setting_is_refused(shell: Shell, setting: str) -> None:
    """A setting of the wrong type or out of bounds is refused, and the old value stays."""
    magics: Any = shell.ip.magics_manager.registry["AgentMagics"]
    name, _, value = setting.partition(" = ")
    before = getattr(magics, name)
    with pytest.raises(traitlets.TraitError):
        setattr(magics, name, eval(value))  # noqa: S307 - the table above
    shell.ip.run_cell(f"%config AgentMagics.{setting}")
    assert getattr(magics, name) == before


def test_a_config_file_is_read(plain_shell: Shell, tmp_path: Path) -> None:
    """`config_file` names the agents' file; one that can't be read is an error of its own."""
    file = tmp_path / "agentbench.yaml"
    file.write_text("endpoints: {scripted: {models: {m: [{text: From a file.}]}}}\n")
    plain_shell.run(f"%load_ext agentbench\n%config AgentMagics.config_file = '{file}'")
    assert plain_shell.run("r = %agent chat -m scripted/m hi\nr.text") == "From a file."
    plain_shell.run("%reload_ext agentbench\n%config AgentMagics.config_file = 'missing.yaml'")
    assert isinstance(plain_shell.fail("%agent chat hi"), ConfigError)


# -- calls that a cell can't await ----------------------------------------------------------------------------------


def test_the_cell_that_loads_may_ask(plain_shell: Shell) -> None:
    """In the cell of `%load_ext` the answer is waited for in the plain way."""
    plain_shell.ip.user_ns["config"] = CONFIG
    plain_shell.run("""\
%load_ext agentbench
import agentbench
agentbench.set_workbench(agentbench.Workbench(config))
r = %agent chat hi
text = r.text
agentbench.get_workbench().close()""")
    assert plain_shell.ip.user_ns["text"] == "Hello **world**"


def test_a_function_may_ask(shell: Shell) -> None:
    """A function of the person's gets its answer before it goes on."""
    shell.run("def ask():\n    r = %agent chat hi\n    return r.text")
    assert shell.run("ask()") == "Hello **world**"


def test_python_code_may_ask(shell: Shell) -> None:
    """`run_line_magic` and `run_cell_magic` return the result, not something to await."""
    assert shell.ip.run_line_magic("agent", "chat hi").text == "Hello **world**"
    assert shell.ip.run_cell_magic("agent", "-a counter", "hi").text == "second"


def test_a_blocking_call_raises(shell: Shell) -> None:
    """Errors come out of a blocking call as they do out of an awaited one."""
    with pytest.raises(InvalidRequest, match="The chat view needs a notebook"):
        shell.ip.run_line_magic("agent", "chat")
