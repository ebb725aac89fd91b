"""Changes that are being made: tried out, shown as a diff, applied, saved, taken back; and no secret in any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.config.config import Config
from agentbench.config.tuning import Draft, Row
from agentbench.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
endpoints:
  # The one that we pay for.
  openAI:
    apiKey: ${TEAM_KEY}
    titleModel: 'gpt-4'   # small enough
    streamRate: 25
    headers:
      X-Team: sky
      Authorization: Bearer tiger-one
      X-Proxy-Key: ${PROXY_KEY}
  custom:
    - name: router
      apiKey: tiger-two
      baseURL: ${ROUTER_URL}
      models: [a, b]
  all:
    titleConvo: true
    # Two lines of secret.
    addHeader: x
"""
ENVIRON = {
    "OPENAI_API_KEY": "tiger-three",
    "TEAM_KEY": "tiger-four",
    "PROXY_KEY": "tiger-five",
    "ROUTER_URL": "https://tiger-six.example/v1",
}


@pytest.fixture
def file(folder: Path) -> Path:
    """Return a config file with secrets in it, all of which hold the word tiger."""
    path = folder / "agentbench.yaml"
    path.write_text(TEXT.replace("    # Two lines of secret.\n    addHeader: x\n", ""))
    return path


@pytest.fixture
def config(file: Path) -> Config:
    """Return the config of that file."""
    return Config(file.name, ENVIRON)


@pytest.fixture
def draft(config: Config) -> Draft:
    """Return a draft with nothing pending."""
    return Draft(config)


def row(draft: Draft, key: str, block: str = "openAI") -> Row:
    """Return one row of a form."""
    return next(each for each in draft.rows(block) if each.field.key == key)


def seen(draft: Draft) -> str:
    """Return all that browsers get, as JSON."""
    rows = [draft.rows(block) for block in draft.blocks]
    return msgspec.json.encode([rows, draft.problems, draft.diff(), draft.history.applied]).decode()


def test_blocks(draft: Draft) -> None:
    """Every endpoint can be tuned, and what holds for all of them."""
    assert draft.blocks == ("local", "openAI", "router", "assistants", "all", "agents")


def test_where_a_value_is_from(draft: Draft) -> None:
    """The layer, the line, and what was overridden."""
    rate, convo = row(draft, "streamRate"), row(draft, "titleConvo")
    assert (rate.now.text, rate.now.layer, rate.now.origin, rate.here) == (
        "25",
        "endpoint",
        "agentbench.yaml:6",
        "file",
    )
    assert [each.text for each in rate.overrode] == ["1"]
    assert (convo.now.text, convo.now.layer, convo.here, convo.default) == ("true", "all", "", "false")


def test_what_is_set_for_all(draft: Draft) -> None:
    """Its own rows say what its block says."""
    convo = row(draft, "titleConvo", "all")
    assert (convo.value, convo.here, convo.now.origin) == (True, "file", "agentbench.yaml:17")
    assert row(draft, "recursionLimit", "agents").now.text == "25"


def test_references_are_shown_and_secrets_are_not(draft: Draft) -> None:
    """`${NAME}` stays a name, and what stands in the file in clear is masked."""
    assert row(draft, "apiKey").value == "${TEAM_KEY}"
    assert row(draft, "baseURL", "router").value == "${ROUTER_URL}"
    assert row(draft, "apiKey", "router").value == "****"
    assert row(draft, "headers").value == {
        "X-Team": "sky",
        "Authorization": "****",
        "X-Proxy-Key": "${PROXY_KEY}",
    }
    assert "tiger" not in seen(draft)


def test_what_is_typed_is_masked_too(draft: Draft, config: Config) -> None:
    """A secret goes into the session, and never back to a browser."""
    draft.put("openAI", "apiKey", "tiger-seven")
    draft.put("openAI", "headers", {"X-Team": "sky", "X-Token": "tiger-eight"})
    draft.put("openAI", "addParams", "api_key: tiger-nine")
    assert "tiger" not in seen(draft)
    draft.put("openAI", "addParams", "api_key: [tiger-nine")
    assert "tiger" not in seen(draft)
    draft.reset("openAI", "addParams")
    draft.apply()
    assert "tiger" not in seen(draft)
    key = config.catalog.endpoint("openAI").api_key
    assert key is not None
    assert key.reveal() == "tiger-seven"


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("streamRate", "fast", "expected a number, found text"),
        ("streamRate", "-1", "expected a number of at least 0"),
        ("maxToolResultChars", "1.5", "expected a whole number"),
        ("titleTiming", "later", "expected 'immediate' or 'final'"),
        ("titlePrompt", "Name it", "must hold {convo}, where the conversation goes"),
        ("titleEndpoint", "openAL", "There is no endpoint 'openAL'. Did you mean 'openAI'?"),
        ("headers", {"X-Bad Name": "x"}, "a header's name may hold only"),
        ("headers", {"X-A": "${NOWHERE}"}, "X-A: the environment variable 'NOWHERE' is not set"),
        ("headers", {"Authorization": "Basic ****"}, "Write the whole value: what is masked"),
        ("models", "{fetch: maybe}", "fetch: expected true or false, found text"),
        ("models", "{fetch: [", "line 1: not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_at_once(draft: Draft, key: str, given: Any, expected: str) -> None:
    """In the words of the check, at its key; and it can't be applied or saved."""
    draft.put("openAI", key, given)
    assert row(draft, key).error.startswith(expected)
    for attempt in (draft.apply, draft.save):
        with pytest.raises((ConfigError, InvalidRequest)):
            attempt()
    assert draft.pending


def test_a_masked_text_is_kept_or_replaced(draft: Draft, config: Config) -> None:
    """What was left as it was shown means what was there."""
    draft.put("openAI", "headers", {"X-Team": "sea", "Authorization": "****", "X-Proxy-Key": "${PROXY_KEY}"})
    assert draft.pending == ("openAI.headers.X-Team",)
    draft.apply()
    headers = config.catalog.endpoint("openAI").header_templates
    assert headers["Authorization"].fill({}) == "Bearer tiger-one"


def test_what_holds_already_is_no_change(draft: Draft) -> None:
    """A control that is set back leaves nothing pending."""
    draft.put("openAI", "streamRate", "30")
    assert draft.pending == ("openAI.streamRate",)
    draft.put("openAI", "streamRate", "25")
    draft.put("openAI", "titlePrompt", "")
    assert draft.pending == ()


def test_apply_holds_for_the_session(draft: Draft, config: Config, file: Path) -> None:
    """All that is pending holds at once, and the file stays as it was."""
    before = file.read_text()
    draft.put("openAI", "streamRate", "30")
    draft.put("all", "titleModel", "tiny")
    assert draft.apply() == "Applied to this session: openAI.streamRate, all.titleModel."
    assert config.explain("openAI", "streamRate").layer == "session"
    assert config.catalog.endpoint("local").titles.model == "tiny"
    assert (draft.pending, file.read_text()) == ((), before)
    assert row(draft, "streamRate").here == "session"


def test_all_or_none(draft: Draft, config: Config) -> None:
    """One wrong value keeps the others back too."""
    draft.put("openAI", "streamRate", "30")
    draft.put("openAI", "titleTiming", "later")
    with pytest.raises(ConfigError, match=r"endpoints\.openAI\.titleTiming: expected"):
        draft.apply()
    assert config.catalog.endpoint("openAI").stream_rate == 25


def test_unset_takes_the_session_back_first(draft: Draft, config: Config) -> None:
    """Then what the file says, which waits for saving."""
    config.set("openAI.streamRate", 30)
    draft.unset("openAI", "streamRate")
    draft.apply()
    assert config.explain("openAI", "streamRate").value == 25
    draft.unset("openAI", "streamRate")
    with pytest.raises(InvalidRequest, match=r"In the file, so it waits for Save: openAI\.streamRate"):
        draft.apply()
    assert draft.save() == "Saved in agentbench.yaml: openAI.streamRate."
    assert config.explain("openAI", "streamRate").value == 1


def test_unset_needs_something_to_take_back(draft: Draft) -> None:
    """What isn't set in the block can't be."""
    with pytest.raises(InvalidRequest, match=r"openAI\.titlePrompt isn't set there"):
        draft.unset("openAI", "titlePrompt")


def test_the_diff_is_what_would_be_saved(draft: Draft) -> None:
    """With the lines around it, and secrets masked."""
    draft.put("openAI", "titleModel", "gpt-5")
    draft.put("router", "streamRate", "3")
    lines = draft.diff().splitlines()
    assert "-    titleModel: 'gpt-4'   # small enough" in lines
    assert "+    titleModel: 'gpt-5'   # small enough" in lines
    assert "+      streamRate: 3" in lines
    assert "       apiKey: ****" in lines
    assert draft.pending


def test_save_keeps_comments(draft: Draft, config: Config, file: Path) -> None:
    """What was applied before is saved too, and then holds from the file."""
    config.set("openAI.streamRate", 30)
    before = file.read_text()
    draft.put("openAI", "titleModel", "gpt-5")
    assert draft.save() == "Saved in agentbench.yaml: openAI.streamRate, openAI.titleModel."
    assert file.read_text() == before.replace("25", "30").replace("gpt-4", "gpt-5")
    assert config.explain("openAI", "streamRate").layer == "endpoint"


def test_a_secret_is_not_saved(draft: Draft, config: Config, file: Path) -> None:
    """It holds for the session; a reference goes to the file."""
    before = file.read_text()
    draft.put("router", "apiKey", "tiger-ten")
    assert draft.save().startswith("Only in this session: router.apiKey.")
    assert file.read_text() == before
    assert config.explain("router", "apiKey").layer == "session"
    draft.put("router", "apiKey", "${TEAM_KEY}")
    draft.save()
    assert file.read_text() == before.replace("tiger-two", "${TEAM_KEY}")


def test_saving_says_what_overrides_it(draft: Draft, config: Config) -> None:
    """A value may be saved and still not hold."""
    draft.put("openAI", "titleConvo", value=False)
    assert draft.save().endswith("But all overrides openAI.titleConvo.")


def test_saving_needs_a_file() -> None:
    """The message says how to have one."""
    draft = Draft(Config({"endpoints": {"openAI": {"streamRate": 2}}}, ENVIRON))
    draft.put("openAI", "streamRate", "3")
    for attempt in (draft.save, draft.diff):
        with pytest.raises(InvalidRequest, match="There is no file to save in"):
            attempt()


def test_undo_and_redo_of_an_apply(draft: Draft, config: Config) -> None:
    """Only the keys that it touched go back."""
    draft.put("openAI", "streamRate", "30")
    draft.apply()
    config.set("openAI.titleModel", "meanwhile")
    assert draft.undo() == "Undone: apply of openAI.streamRate."
    openai = config.catalog.endpoint("openAI")
    assert (openai.stream_rate, openai.titles.model) == (25, "meanwhile")
    assert draft.redo() == "Done again: apply of openAI.streamRate."
    assert config.catalog.endpoint("openAI").stream_rate == 30


def test_undo_and_redo_of_a_save(draft: Draft, config: Config, file: Path) -> None:
    """The file gets its bytes back, and the session what it had."""
    before = file.read_bytes()
    config.set("openAI.streamRate", 30)
    draft.save()
    after = file.read_bytes()
    draft.undo()
    assert (file.read_bytes(), config.explain("openAI", "streamRate").layer) == (before, "session")
    draft.redo()
    assert (file.read_bytes(), config.explain("openAI", "streamRate").layer) == (after, "endpoint")


def test_undo_of_a_save_that_was_edited_since(draft: Draft, file: Path) -> None:
    """What somebody wrote meanwhile isn't lost."""
    draft.put("openAI", "streamRate", "30")
    draft.save()
    file.write_text(file.read_text() + "# mine\n")
    with pytest.raises(InvalidRequest, match=r"agentbench\.yaml has changed since, and undoing would lose that"):
        draft.undo()
    assert file.read_text().endswith("# mine\n")


def test_a_part_that_the_session_set_gives_way_to_the_whole(draft: Draft, config: Config) -> None:
    """What is typed is what holds."""
    config.set("openAI.addParams", {"a": 1})
    config.set("openAI.addParams.b", 2)
    draft.put("openAI", "addParams", "c: 3")
    draft.apply()
    assert config.catalog.endpoint("openAI").add_params == {"c": 3}


def test_a_file_that_has_gone(draft: Draft, config: Config, file: Path) -> None:
    """It is said, and the session stays as it was."""
    draft.put("openAI", "streamRate", "30")
    file.unlink()
    with pytest.raises(ConfigError, match=r"There is no file 'agentbench\.yaml'"):
        draft.save()
    assert config.explain("openAI", "streamRate").value == 25


def test_nothing_to_do(draft: Draft) -> None:
    """Each says so."""
    for attempt in (draft.apply, draft.save, draft.undo, draft.redo):
        with pytest.raises(InvalidRequest, match="There is nothing to"):
            attempt()


def test_the_draft_has_a_catalog_of_its_own(draft: Draft, config: Config) -> None:
    """Previews look at it: it holds what is pending, and the config doesn't."""
    draft.put("openAI", "streamRate", "30")
    assert draft.catalog.endpoint("openAI").stream_rate == 30
    assert config.catalog.endpoint("openAI").stream_rate == 25


@pytest.mark.parametrize(
    ("block", "key", "message"),
    [("nowhere", "streamRate", "There is no endpoint 'nowhere'"), ("openAI", "x", "There is no setting 'x'")],
)
def test_unknown_names(draft: Draft, block: str, key: str, message: str) -> None:
    """A view may ask for what has gone."""
    with pytest.raises(InvalidRequest, match=message):
        draft.put(block, key, "1")


def test_a_name_is_fixed(draft: Draft) -> None:
    """Other keys name the endpoint by it."""
    with pytest.raises(InvalidRequest, match=r"router\.name stays as it is"):
        draft.put("router", "name", "other")
