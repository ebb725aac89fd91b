"""`agentbench check`: what becomes of each key."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from agentbench.__main__ import main
from agentbench.config.check import Finding, check
from agentbench.config.load import load
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRECHAT = Path(__file__).with_name("librechat.yaml")
KEYS = dict.fromkeys(("AZURE_SWEDEN_KEY", "AZURE_MISTRAL_KEY", "TICKETS_TOKEN", "GROQ_API_KEY"), "made-up")


@pytest.fixture(scope="module")
def findings() -> dict[str, Finding]:
    """Check the realistic file once."""
    return {each.key: each for each in check(LIBRECHAT, KEYS)}


def paths(data: object, path: str = "") -> Iterator[str]:
    """Yield the path of each value in a file."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from paths(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        for index, value in enumerate(data):
            yield from paths(value, f"{path}[{index}]")
    else:
        yield path


def test_every_key_is_reported(findings: dict[str, Finding]) -> None:
    """Each value of the file stands in a finding of its own, or below one."""
    unsaid = [
        path
        for path in paths(YAML(typ="safe").load(LIBRECHAT.read_text()))
        if not any(re.match(rf"{re.escape(key)}($|[.\[])", path) for key in findings)
    ]
    assert unsaid == []


def test_an_existing_file_is_good_as_it_is(findings: dict[str, Finding]) -> None:
    """Nothing in it is wrong, and it makes a catalog."""
    assert Counter(each.state for each in findings.values())["wrong"] == 0
    assert list(load(LIBRECHAT, KEYS).endpoints) == [
        *("local", "azureOpenAI", "openAI", "anthropic", "google", "bedrock", "assistants", "azureAssistants"),
        *("groq", "OpenRouter", "ollama"),
    ]


@pytest.mark.parametrize(
    ("key", "state", "note"),
    [
        ("endpoints.openAI.streamRate", "used", ""),
        ("endpoints.openAI.titleModel", "used", "endpoints.all overrides it (line 93)"),
        ("endpoints.google", "used", "google has no key. Set GEMINI_API_KEY or GOOGLE_API_KEY or GOOGLE_KEY,"),
        ("endpoints.anthropic.headers.X-Typo", "used", "{{LIBRECHAT_USER_EMIAL}} stands for nothing and is left out."),
        ("interface.sidePanel", "ignored", "browser UI only"),
        ("endpoints.custom[0].iconURL", "ignored", "browser UI only"),
        ("endpoints.anthropic.vertex", "ignored", "Vertex AI is not spoken; the provider's own API is"),
        ("endpoints.assistants", "used", "assistants has no key. Set ASSISTANTS_API_KEY,"),
        ("endpoints.assistants.supportedIds", "used", ""),
        ("endpoints.custom[1]", "used", "OpenRouter wants a key of your own"),
    ],
)
def test_what_becomes_of_a_key(findings: dict[str, Finding], key: str, state: str, note: str) -> None:
    """It is used or ignored, with a reason or a remark."""
    found = findings[key]
    assert (found.state, found.note[: len(note)]) == (state, note)


WRONG = """\
endpoints:
  all:
    baseURL: http://h/v1
  openAI:
    titlePrompt: Name it
    titelModel: gpt-5
    titleEndpoint: nowhere
  custom:
    - {name: openAI, baseURL: http://h/v1, models: [m]}
    - {name: a, baseURL: http://h/v1, models: [m], streamRate: -1}
    - {name: A, baseURL: http://h/v1, models: [m], headers: {X-A: "${NOT_THERE}"}}
"""


def test_what_is_wrong_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is said with file, line and column, what is expected, and the nearest known key."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(WRONG)
    wrong = [f"{each.place}: {each.note}" for each in check(Path("a.yaml"), {}) if each.state == "wrong"]
    assert wrong == [
        "a.yaml:3:5: can't be set for all: each endpoint has its own. Move it there",
        "a.yaml:5:5: must hold {convo}, where the conversation goes",
        "a.yaml:6:5: unknown key. Did you mean 'titleModel'?",
        "a.yaml:10:52: expected a number of at least 0",
        "a.yaml:11:62: the environment variable 'NOT_THERE' is not set",
    ]


def test_what_does_not_fit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are compared once the values are right."""
    monkeypatch.chdir(tmp_path)
    rows = ["    titleEndpoint: nowhere", "  custom:", "    - {name: OpenAI, baseURL: http://h/v1, models: [m]}"]
    again = "    - {name: b, baseURL: http://h/v1, models: [m]}"
    Path("a.yaml").write_text("\n".join(["endpoints:", "  openAI:", *rows, again, again]))
    wrong = [f"{each.place}: {each.note}" for each in check(Path("a.yaml"), {}) if each.state == "wrong"]
    assert wrong == [
        "a.yaml:3:5: There is no endpoint 'nowhere'. Known: local, OpenAI, b.",
        "a.yaml:5:8: 'OpenAI' is a name of agentbench's own. Choose another",
        "a.yaml:7:8: the same name as endpoints.custom[1]",
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """There is one message then."""
    (tmp_path / "a.yaml").write_text("endpoints:\n\topenAI: {}\n")
    with pytest.raises(ConfigError, match=r"a\.yaml:2:1: a tab; indent with spaces"):
        check(tmp_path / "a.yaml", {})


def test_the_command_says_it_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each key and a count; the exit status is 0 for a file that can be used, 1 for another."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert main(["check", str(LIBRECHAT)]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ used, \d+ ignored, 0 wrong", last)
    assert len(rows) == sum(map(int, re.findall(r"\d+", last)))
    monkeypatch.delenv("GROQ_API_KEY")
    assert main(["check", str(LIBRECHAT)]) == 1
    assert "endpoints.custom[0].apiKey" in capsys.readouterr().out


def test_the_command_wants_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name, and without AGENTBENCH_CONFIG, there is nothing to check."""
    assert main(["check"]) == 1
    assert "Name the file to check: agentbench check FILE" in capsys.readouterr().err
