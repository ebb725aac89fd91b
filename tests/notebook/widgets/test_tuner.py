"""The config tuner, without a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench import Workbench
from agentbench.errors import UnknownName
from agentbench.notebook.export import export
from agentbench.notebook.widgets.tuner import Tuner
from notebook.widgets.views import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = """\
endpoints:
  # The models that we test with.
  scripted:
    streamRate: 25   # calm
    titleConvo: true
    headers:
      X-Team: sky
      Authorization: tiger-one
    models:
      first: [{text: "Because of the air."}]
      reader: [{call: {name: read}}]
  custom:
    - name: router
      apiKey: ${ROUTER_KEY}
      baseURL: https://router.example/v1
      models: [small]
agents:
  - {id: bot, endpoint: scripted, model: first, titleModel: other}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a config file."""
    monkeypatch.setenv("ROUTER_KEY", "tiger-two")
    path = tmp_path / "agentbench.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def bench(file: Path, home: Path) -> Iterator[Workbench]:
    """Give a workbench of that file."""
    with Workbench(file, home=home) as bench:
        yield bench


@pytest.fixture
def view(bench: Workbench) -> View:
    """Return a view of a tuner."""
    return View(bench.tune("scripted"))


def field(view: View, key: str) -> Any:
    """Return a row as the view sees it."""
    return next(each for each in view.widget.fields if each["field"]["key"] == key)


def test_it_opens_at_an_endpoint(bench: Workbench) -> None:
    """In any case of its name, by default at the default endpoint; an unknown one is named."""
    assert bench.tune("ROUTER").endpoint == "router"
    assert bench.tune().endpoint == bench.catalog.default_endpoint.name
    assert bench.tune("all").endpoint == "all"
    with pytest.raises(UnknownName, match=r"There is no endpoint 'ruter'\. Did you mean 'router'"):
        bench.tune("ruter")


def test_what_the_form_shows(view: View, file: Path) -> None:
    """The values that hold, where from, and what can be tuned."""
    rate = field(view, "streamRate")
    assert (rate["value"], rate["now"]["layer"], rate["now"]["origin"]) == (25, "endpoint", f"{file}:4")
    assert view.widget.endpoints == ["local", "router", "scripted", "assistants", "all", "agents"]
    assert view.widget.file == str(file)


def test_a_wrong_value_is_said_in_every_view(view: View) -> None:
    """It is state, not a message."""
    view.ok("put", endpoint="scripted", key="streamRate", value="fast")
    assert field(view, "streamRate")["error"] == "expected a number, found text"
    assert view.widget.pending == ["scripted.streamRate"]
    assert view.widget.problems == ["endpoints.scripted.streamRate: expected a number, found text"]
    assert "expected a number" in view.ask("apply")["error"]["message"]


def test_tune_apply_save_undo(view: View, bench: Workbench, file: Path) -> None:
    """The way from a control to the file and back."""
    view.ok("put", endpoint="scripted", key="streamRate", value="40")
    assert view.ok("apply") == "Applied to this session: scripted.streamRate."
    assert bench.catalog.endpoint("scripted").stream_rate == 40
    assert (view.widget.pending, view.widget.session) == ([], ["scripted.streamRate"])
    assert "+    streamRate: 40   # calm" in view.ok("diff")
    assert view.ok("save") == f"Saved in {file}: scripted.streamRate."
    assert file.read_text() == TEXT.replace("25", "40")
    assert (view.ok("undo"), file.read_text()) == ("Undone: save of scripted.streamRate.", TEXT)
    assert (view.widget.undoes, view.widget.redoes) == ("apply of scripted.streamRate", "save of scripted.streamRate")
    view.ok("redo")
    assert file.read_text() == TEXT.replace("25", "40")


def test_pending_is_kept_while_another_endpoint_is_shown(view: View) -> None:
    """It can be dropped by itself, or all at once."""
    view.ok("put", endpoint="scripted", key="streamRate", value="40")
    view.ok("choose", endpoint="all")
    view.ok("put", endpoint="all", key="titleModel", value="tiny")
    assert view.widget.endpoint == "all"
    assert view.widget.pending == ["scripted.streamRate", "all.titleModel"]
    view.ok("reset", endpoint="all", key="titleModel")
    assert view.widget.pending == ["scripted.streamRate"]
    view.ok("discard")
    assert view.widget.pending == []


def test_what_others_change_is_seen(view: View, bench: Workbench) -> None:
    """When the view looks again."""
    bench.config.set("scripted.streamRate", 7)
    view.ok("refresh")
    assert (field(view, "streamRate")["value"], view.widget.session) == (7, ["scripted.streamRate"])
    view.ok("unset", endpoint="scripted", key="streamRate")
    view.ok("apply")
    assert field(view, "streamRate")["value"] == 25


def test_no_secret_leaves_the_kernel(view: View) -> None:
    """Not in the state of the widget, an answer, an export or the record."""
    view.ok("put", endpoint="router", key="apiKey", value="tiger-three")
    view.ok("apply")
    view.ok("put", endpoint="scripted", key="headers", value={"X-Token": "tiger-four", "Authorization": "****"})
    seen = [view.widget.get_state(["fields", "pending"]), view.widget.exported()["forms"], view.messages]
    seen += [view.ok("preview", endpoint=each, kind="headers") for each in view.widget.endpoints]
    text = msgspec.json.encode([*seen, view.ok("diff"), view.widget.record()]).decode()
    assert "tiger" not in text
    assert "${ROUTER_KEY}" in text


def test_an_exported_page_has_every_form(view: View, tmp_path: Path) -> None:
    """They can be read there without a kernel."""
    page = export(tmp_path / "config.html", view.widget).read_text()
    assert '"forms":{"local":[' in page
    assert "tiger" not in page


def test_preview_of_headers(view: View) -> None:
    """As they would be with what is pending."""
    view.ok(
        "put", endpoint="scripted", key="headers", value={"X-Team": "{{LIBRECHAT_USER_ID}}", "Authorization": "****"}
    )
    preview = view.ok("preview", endpoint="scripted", kind="headers")
    assert preview == {"of": "scripted", "headers": [("Authorization", "****"), ("X-Team", "kernel")]}


def test_preview_of_the_title_prompt(view: View, bench: Workbench) -> None:
    """On an example, then on the newest conversation; who is asked is told."""
    view.ok("put", endpoint="scripted", key="titlePrompt", value="Name this:\n{convo}")
    assert view.ok("preview", endpoint="scripted", kind="title")["example"] is True
    bench.ask("Why is it blue?", model="scripted/first", conversation=bench.start_conversation())
    preview = view.ok("preview", endpoint="scripted", kind="title")
    assert preview["prompt"] == "Name this:\nUser: Why is it blue?"
    view.ok("put", endpoint="scripted", key="titleTiming", value="final")
    preview = view.ok("preview", endpoint="scripted", kind="title")
    assert preview["prompt"].endswith("User: Why is it blue?\nAI: Because of the air.")
    assert (preview["asked"], preview["enabled"], preview["example"]) == ("scripted/first", True, False)
    assert view.ok("preview", endpoint="agents", kind="title")["asked"] == "scripted/other"


def test_preview_of_a_long_result(view: View) -> None:
    """Of an example that is long enough, or a sample that is given."""
    whole = view.ok("preview", endpoint="scripted", kind="truncation")
    assert (whole["limit"], whole["before"]) == (None, whole["after"])
    view.ok("put", endpoint="scripted", key="maxToolResultChars", value="100")
    short = view.ok("preview", endpoint="scripted", kind="truncation", sample="x" * 500)
    assert (short["limit"], short["before"], short["source"]) == (100, 500, "sample")
    assert short["after"] <= 100
    assert "characters left out" in short["text"]
    assert view.ok("preview", endpoint="all", kind="truncation")["of"] == "scripted"


def test_previews_of_an_endpoint_that_lists_its_models(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no model to name until it is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "tiger-five")
    with Workbench(home=home) as bench:
        view = View(bench.tune("openAI"))
        assert view.ok("preview", endpoint="openAI", kind="title")["asked"] == "the model that answers"
        assert view.ok("preview", endpoint="openAI", kind="headers") == {"of": "openAI", "headers": []}


def test_an_unknown_preview(view: View) -> None:
    """It is refused, as is a sample beyond measure."""
    assert "There is no preview 'x'" in view.ask("preview", endpoint="scripted", kind="x")["error"]["message"]
    answer = view.ask("preview", endpoint="scripted", kind="truncation", sample="x" * 2_000_001)
    assert answer["error"]["message"] == "A sample may have 2,000,000 characters."


def test_the_record(view: View, file: Path) -> None:
    """What differs from the defaults, and what was changed here, in three forms."""
    view.ok("put", endpoint="scripted", key="streamRate", value="40")
    view.ok("apply")
    record = view.widget.record()
    assert f"<caption>Settings in {file}</caption>" in record.html
    row = re.sub(' style="text-align:left"', "", record.html)
    assert '<th scope="row">scripted.streamRate</th><td>40</td><td>session</td><td>this session</td>' in row
    assert "<li>Applied scripted.streamRate: 40</li>" in record.html
    assert "silenceTimeout" not in record.html
    assert "1. Applied scripted.streamRate: 40" in record.markdown
    assert "scripted.streamRate" in repr(view.widget)


def test_markup_in_a_config_stays_text(home: Path) -> None:
    """A record shows it as it is written."""
    config = {"endpoints": {"scripted": {"titleModel": "<img src=x onerror=1>", "models": {"a": [{"text": "b"}]}}}}
    with Workbench(config, home=home) as bench:
        record = bench.tune().record()
        assert "<img" not in record.html
        assert "&lt;img src=x onerror=1&gt;" in record.html
        assert r"\<img src=x onerror=1\>" in record.markdown


def test_a_config_without_a_file(home: Path) -> None:
    """It can be tuned for the session; saving says what is missing."""
    with Workbench({"endpoints": {"scripted": {"models": {"a": [{"text": "b"}]}}}}, home=home) as bench:
        view = View(Tuner(bench, endpoint="scripted"))
        assert view.widget.file is None
        view.ok("put", endpoint="scripted", key="streamRate", value="3")
        assert "There is no file to save in" in view.ask("save")["error"]["message"]
        view.ok("apply")
        assert bench.catalog.endpoint("scripted").stream_rate == 3
