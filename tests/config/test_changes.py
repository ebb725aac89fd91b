"""Changing a config while it is in use: for the session, in the file, and by reading it again."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from agentbench.config import Catalog, Secret
from agentbench.config.config import Config
from agentbench.errors import ConfigError, InvalidRequest, UnknownName

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
# Ours.
endpoints:
  # The one that we pay for.
  openAI:
    titleModel: 'gpt-4'   # small enough
    streamRate: 25

  custom:
    - name: "router.eu"   # has a dot
      baseURL: https://router.example/v1
      models: {default: [a, b]}
  all:
    titleConvo: true
"""
ENVIRON = {"OPENAI_API_KEY": "sk-1"}


@pytest.fixture
def file(folder: Path) -> Path:
    """Return a config file."""
    path = folder / "agentbench.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def config(file: Path) -> Config:
    """Return the config of that file."""
    return Config(file.name, ENVIRON)


def test_a_session_sets_a_key(config: Config, file: Path) -> None:
    """It wins over everything in the file, which stays as it is."""
    setting = config.set("openAI.titleConvo", value=False)
    assert setting is not None
    assert (setting.value, setting.layer, [each.layer for each in setting.overrode]) == (
        False,
        "session",
        ["all", "default"],
    )
    assert config.catalog.endpoint("openAI").titles.enabled is False
    assert file.read_text() == TEXT


def test_it_can_be_taken_back(config: Config) -> None:
    """The file's value holds again; what wasn't set can't be."""
    config.set("openAI.titleModel", "other")
    config.unset("openai.titleModel")
    assert config.explain("openAI", "titleModel").value == "gpt-4"
    with pytest.raises(InvalidRequest, match=r"openAI\.titleModel was not set in this session"):
        config.unset("openAI.titleModel")


@pytest.mark.parametrize("name", ["router.eu.titleModel", "ROUTER.EU.titleModel"])
def test_names_may_hold_dots(config: Config, name: str) -> None:
    """The longest endpoint's name counts, in any case."""
    config.set(name, "a")
    assert config.catalog.endpoint("router.eu").titles.model == "a"


def test_a_session_sets_what_holds_for_all(config: Config) -> None:
    """Every endpoint has it, those without a block too."""
    assert config.set("all.streamRate", 5) is None
    assert [each.stream_rate for each in config.catalog.endpoints.values()] == [5, 5, 5]


def test_one_header_more(config: Config) -> None:
    """Headers are set one by one, and the others stay."""
    config.set("openAI.headers.X-A", "a")
    setting = config.set("openAI.headers.X-B", "b")
    assert setting is not None
    assert (setting.key, setting.origin) == ("headers.X-B", "this session")
    assert sorted(config.catalog.endpoint("openAI").header_templates) == ["X-A", "X-B"]


def test_an_endpoint_of_the_environment(config: Config) -> None:
    """A block isn't needed: a key of one's own replaces the environment's."""
    found = Config(None, ENVIRON)
    found.set("openAI.baseURL", "http://127.0.0.1:1/v1")
    assert found.catalog.endpoint("openAI").base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize("save", [False, True])
def test_a_wrong_value_changes_nothing(config: Config, file: Path, *, save: bool) -> None:
    """The message names the key, and the config stays as it was."""
    before = config.catalog
    with pytest.raises(ConfigError, match=r"endpoints\.openAI\.streamRate: expected a number, found text"):
        config.set("openAI.streamRate", "fast", save=save)
    assert config.catalog is before
    assert file.read_text() == TEXT


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openAL.titleModel", "There is no endpoint 'openAL'. Did you mean 'openAI'"),
        ("nowhere.titleModel", "There is no endpoint 'nowhere'. Known: "),
    ],
)
def test_an_unknown_endpoint(config: Config, name: str, expected: str) -> None:
    """The nearest name is offered."""
    with pytest.raises(UnknownName) as caught:
        config.set(name, "a")
    assert caught.value.message.startswith(expected)


def test_a_name_without_a_key(config: Config) -> None:
    """The message shows the form."""
    with pytest.raises(InvalidRequest, match=r"Write ENDPOINT\.KEY, such as local\.titleModel, not 'openAI'"):
        config.set("openAI", "a")


def test_an_unknown_key(config: Config) -> None:
    """It is refused like one in the file."""
    with pytest.raises(ConfigError, match=r"endpoints\.openAI\.titelModel: unknown key. Did you mean 'titleModel'"):
        config.set("openAI.titelModel", "a")
    with pytest.raises(UnknownName, match=r"There is no setting 'titelModel'. Did you mean 'titleModel'"):
        config.explain("openAI", "titelModel")


def test_saving_keeps_all_the_rest(config: Config, file: Path) -> None:
    """Comments, quotes, order and indentation stay; only the line changes."""
    config.set("openAI.titleModel", "gpt-5", save=True)
    assert file.read_text() == TEXT.replace("gpt-4", "gpt-5")
    setting = config.explain("openAI", "titleModel")
    assert (setting.value, setting.layer, setting.origin) == ("gpt-5", "endpoint", "agentbench.yaml:5")


def test_saving_a_new_block(config: Config, file: Path) -> None:
    """What isn't there yet is added where it belongs."""
    config.set("router.eu.headers.X-Team", "sky", save=True)
    config.set("local.streamRate", 3, save=True)
    assert (
        file.read_text()
        == TEXT.replace("[a, b]}\n", "[a, b]}\n      headers:\n        X-Team: sky\n") + "  local:\n    streamRate: 3\n"
    )


def test_saving_ends_what_the_session_said(config: Config) -> None:
    """The saved value holds, not the one that was tried before."""
    config.set("openAI.streamRate", 1)
    config.set("openAI.streamRate", 2, save=True)
    assert config.explain("openAI", "streamRate").layer == "endpoint"


def test_saving_keeps_the_rights_and_leaves_nothing_behind(config: Config, file: Path) -> None:
    """A config that only its owner may read stays so."""
    file.chmod(0o600)
    config.set("openAI.streamRate", 2, save=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["agentbench.yaml"]


def test_saving_through_a_link(config: Config, file: Path) -> None:
    """The file behind it changes, and the link stays one."""
    link = file.parent / "link.yaml"
    link.symlink_to(file)
    Config("link.yaml", ENVIRON).set("openAI.streamRate", 2, save=True)
    assert link.is_symlink()
    assert "streamRate: 2\n" in file.read_text()


@pytest.mark.parametrize("source", [None, {"endpoints": {}}])
def test_saving_needs_a_file(source: dict[str, object] | None) -> None:
    """The message says how to have one."""
    with pytest.raises(InvalidRequest, match=r"There is no file to save in. Name one: Workbench\('agentbench.yaml'\)"):
        Config(source, ENVIRON).set("openAI.streamRate", 2, save=True)


def test_a_file_is_read_again(config: Config, file: Path) -> None:
    """What it says now holds, but for what was set in the session; whoever wants to know is told."""
    told: list[Catalog] = []
    config = Config(file.name, ENVIRON, changed=told.append)
    config.set("openAI.titleModel", "mine")
    file.write_text(TEXT.replace("gpt-4", "gpt-6").replace("25", "30"))
    config.reload()
    openai = config.catalog.endpoint("openAI")
    assert (openai.stream_rate, openai.titles.model) == (30, "mine")
    assert told[-1] is config.catalog


def test_a_broken_file_leaves_the_old_one(config: Config, file: Path) -> None:
    """Nothing changes until the file is right again."""
    before = config.catalog
    file.write_text(TEXT.replace("25", "fast"))
    with pytest.raises(ConfigError, match=r"agentbench.yaml:6:5: endpoints\.openAI\.streamRate"):
        config.reload()
    assert config.catalog is before
    assert config.explain("openAI", "streamRate").value == 25


def test_a_key_of_ones_own(folder: Path) -> None:
    """`user_provided` wants each person's key; nobody else's is used, and a given one shows nowhere."""
    block = {"name": "router", "apiKey": "user_provided", "baseURL": "http://h/v1", "models": ["m"]}
    config = Config({"endpoints": {"custom": [block]}}, {})
    assert config.catalog.endpoint("router").unsupported == (
        "router wants a key of your own: bench.config.set('router.apiKey', …)."
    )
    config.set("router.apiKey", "sk-mine-1234")
    router = config.catalog.endpoint("router")
    assert (router.unsupported, router.api_key, router.personal) == (None, Secret("sk-mine-1234"), True)
    assert "sk-mine" not in repr((config.explain("router", "apiKey"), router))


def test_an_address_of_ones_own(folder: Path) -> None:
    """The operator's headers don't travel to an address that somebody else chose."""
    block = {"baseURL": "user_provided", "headers": {"X-Team": "sky"}}
    config = Config({"endpoints": {"openAI": block, "all": {"headers": {"X-All": "a"}}}}, ENVIRON)
    config.set("openAI.baseURL", "http://127.0.0.1:1/v1")
    openai = config.catalog.endpoint("openAI")
    assert (openai.base_url, dict(openai.header_templates)) == ("http://127.0.0.1:1/v1", {})
