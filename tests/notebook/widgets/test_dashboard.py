from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd
import pytest
from sqlalchemy import delete

from agentbench import Workbench
from agentbench.notebook.dashboard.columns import milliseconds
from agentbench.notebook.widgets import dashboard as module
from agentbench.notebook.widgets.dashboard import Dashboard
from agentbench.storage import tables
from agentbench.storage.ledger_tail import LedgerTail
from notebook.widgets.ledger import START, add, row, rows
from notebook.widgets.page_data import CHOICES, FILE, choose, page_data, unpacked
from notebook.widgets.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from notebook.conftest import Shell

CONFIG: dict[str, Any] = {"endpoints": {"scripted": {"models": {"hello": [{"text": "hi"}]}}}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Give a workbench with an empty ledger."""
    with Workbench(CONFIG, database_url=f"sqlite:///{tmp_path / 'ledger.db'}") as bench:
        yield bench


@pytest.fixture
def filled(bench: Workbench) -> Workbench:
    """Give a workbench with 200 calls in its ledger."""
    add(bench._database, *rows(200))
    return bench


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_rows_hold_the_calls(filled: Workbench) -> None:
    """The trait is columns of every call, words coded, times as differences."""
    sent = unpacked(filled.dashboard().rows)
    assert len(sent["time"]) == 200
    assert sent["time"][:2] == [milliseconds(START), 17 * 60_000 + 1]
    assert sent["words"]["model"] == ["cloud/large", "cloud/small", "home/small"]
    assert sent["codes"]["model"][:4] == [0, 1, 2, 0]
    assert sent["numbers"]["cost"][:3] == [0.0, 0.000125, None]


@pytest.mark.parametrize("choice", CHOICES[1:])
def test_frame_has_the_calls_in_view(filled: Workbench, choice: dict[str, Any]) -> None:
    """Range and filters together choose rows of the ledger."""
    dashboard = filled.dashboard()
    choose(dashboard, choice)
    frame = dashboard.frame()
    assert frame["id"].tolist() == chosen(filled.usage(), choice)["id"].tolist()
    assert len(frame) < 200


def chosen(frame: Any, choice: dict[str, Any]) -> Any:
    """Return the rows by another way: pandas."""
    columns = {"error": frame["error_type"].astype("string").fillna("unknown").where(frame["status"] == "failed")}
    columns["model"] = frame["endpoint"].astype("string") + "/" + frame["model"].astype("string")
    parts = frame[["notebook", "cell_id", "execution_count"]].astype(object).itertuples(index=False)
    columns["cell"] = pd.Series([None if pd.isna(n) else f'["{n}","{c}",{e}]' for n, c, e in parts], dtype="string")
    start, end = choice["range"] or (0, 1e15)
    times = frame["time"].map(milliseconds)
    holds = (times >= start) & (times < end)
    for name, words in choice["filters"].items():
        values = columns.get(name, frame.get(name))
        holds &= values.isin([word for word in words if word]) | (values.isna() & (None in words))
    return frame[holds].reset_index(drop=True)


def test_days_are_those_of_frames(filled: Workbench) -> None:
    """A day is the same here as in `UsageFrame.by`: by the clock of the kernel."""
    dashboard = filled.dashboard()
    for day, count in filled.usage(by="day")[["day", "calls"]].itertuples(index=False):
        dashboard.filters = {"day": [str(day)]}
        assert len(dashboard.frame()) == count


def test_range_ends_before_its_end(filled: Workbench) -> None:
    """The first millisecond is in, the last is not."""
    dashboard = filled.dashboard()
    second, third = (milliseconds(each.time) for each in rows(3)[1:])
    dashboard.selected = [second, third]
    assert dashboard.frame()["id"].tolist() == ["use_1"]


def test_no_calls(bench: Workbench) -> None:
    """An empty ledger gives an empty frame, and a record that says what to do."""
    dashboard = bench.dashboard()
    assert dashboard.frame().empty
    assert list(dashboard.frame().columns) == list(bench.usage().columns)
    assert "%agent chat hello" in dashboard.record().plain
    assert "%agent chat hello" in dashboard.record().html


def test_only_chosen_calls(filled: Workbench) -> None:
    """What `bench.usage` takes chooses here too, and what comes later is chosen by the same."""
    dashboard = filled.dashboard(model="large", since=START.replace(day=2))
    add(filled._database, row(900, model="large"), row(901, model="small"))
    frame = dashboard.frame()
    assert set(frame["model"]) == {"large"}
    assert frame["id"].iloc[-1] == "use_900"
    assert frame.equals(filled.usage(model="large", since=START.replace(day=2)).reset_index(drop=True))


def columns(view: View) -> Any:
    """Return the calls that came with the newest message."""
    return unpacked(view.buffers[-1][0])


def test_new_calls_are_told(filled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody watches, a call that ends is in every view within moments, once."""
    monkeypatch.setattr(module, "POLL_S", 0.02)
    view = View(filled.dashboard())
    assert view.ok("watch", count=201)["count"] == 201
    add(filled._database, row(500, model="new"), row(3, id="late"))
    until(lambda: view.heard("calls"))
    time.sleep(0.1)
    [message] = view.heard("calls")
    assert (message["from"], message["count"], message["whole"]) == (201, 203, False)
    assert message["sums"]["calls"] == 202
    assert columns(view)["words"]["model"] == ["home/new", "cloud/large"]
    view.widget.close()


def test_a_view_that_missed_calls_gets_them(filled: Workbench) -> None:
    """Whoever knows fewer gets the rest; whoever knows too few gets all."""
    view = View(filled.dashboard())
    rest = view.ok("watch", count=198)
    assert (rest["from"], rest["whole"], len(columns(view)["time"])) == (198, False, 3)
    everything = view.ok("watch", count=0)
    assert (everything["from"], everything["whole"], len(columns(view)["time"])) == (1, True, 200)
    view.widget.close()


def test_nobody_watches(filled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no view has asked for a while, nothing is looked for, and all that came is kept in the trait."""
    monkeypatch.setattr(module, "POLL_S", 0.02)
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    dashboard = filled.dashboard()
    View(dashboard).ok("watch", count=201)
    add(filled._database, row(500))
    until(lambda: len(unpacked(dashboard.rows)["time"]) == 201)
    until(lambda: not dashboard._watch.is_running)
    dashboard.close()


def test_closed_it_looks_no_more(filled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread ends with it."""
    monkeypatch.setattr(module, "POLL_S", 0.02)
    dashboard = filled.dashboard()
    dashboard.watch(count=0)
    dashboard.close()
    until(lambda: not dashboard._watch.is_running)


def test_a_replaced_ledger_is_read_anew(filled: Workbench) -> None:
    """When the calls that were known are gone, views get all there is in their place."""
    dashboard = filled.dashboard()
    view = View(dashboard)
    filled._write(lambda connection: connection.execute(delete(tables.usage)))
    add(filled._database, row(1))
    dashboard.refresh()
    [message] = view.heard("calls")
    assert (message["from"], message["count"], message["whole"]) == (202, 203, True)
    assert view.ok("watch", count=201)["whole"] is True
    dashboard.close()


def test_only_the_newest_are_sent(filled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the earliest count in the sums alone, also of those that came while it was open."""
    monkeypatch.setattr(LedgerTail.__init__, "__defaults__", (50,))
    dashboard = filled.dashboard()
    assert len(dashboard.frame()) == 50
    add(filled._database, row(300))
    assert len(dashboard.frame()) == 51
    dashboard.refresh()
    assert len(dashboard.frame()) == 50
    assert dashboard.frame()["id"].iloc[-1] == "use_300"
    sent = unpacked(dashboard.rows)
    assert (len(sent["time"]), sent["sums"]["calls"]) == (50, 201)
    assert sent["sums"]["input_tokens"] == int(filled.usage()["input_tokens"].sum())
    assert "Newest 50 of 201 calls" in dashboard.record().plain


def test_money(filled: Workbench) -> None:
    """Budgets and the balance are there as they stand, and follow."""
    dashboard = filled.dashboard()
    assert dashboard.money == {"budgets": [], "balance": None}
    with filled.budget(tokens=1000):
        dashboard.refresh()
        assert [each["limit_tokens"] for each in dashboard.money["budgets"]] == [1000]


def test_balance(tmp_path: Path) -> None:
    """Where the config asks for balances, what is left is there, in the page and in the record."""
    config = CONFIG | {"balance": {"enabled": True, "startBalance": 5000}}
    with Workbench(config, database_url=f"sqlite:///{tmp_path / 'ledger.db'}") as bench:
        dashboard = bench.dashboard()
        assert dashboard.money["balance"]["credits_text"] == "5,000"
        assert "5,000" in dashboard.record().markdown


def test_trouble_is_told(filled: Workbench) -> None:
    """A database that can't be read doesn't break the dashboard; it says so, and keeps what it knew."""
    dashboard = filled.dashboard()
    filled.close()
    dashboard.refresh()
    assert "closed" in dashboard.trouble
    assert "200" in dashboard.record().plain


def test_the_record_says_what_is_in_view(filled: Workbench) -> None:
    """The tables sum up the calls in view; the notes say which those are."""
    dashboard = filled.dashboard()
    dashboard.filters = {"agent": [None], "endpoint": ["home"]}
    html, markdown, plain = dashboard.record()
    count = len(dashboard.frame())
    assert "Only agent: no agent" in plain
    assert f'<th scope="row" style="text-align: left">calls</th><td>{count}</td>' in html
    assert f"| calls | {count} |" in markdown
    assert "<meter" in html


def test_unknown_costs_are_never_nothing(bench: Workbench) -> None:
    """Where some are known, the others are counted; where none is, that is said."""
    free, paid = (row(n, endpoint="e", cost=cost, model=m) for n, cost, m in ((0, None, "free"), (1, 0.5, "paid")))
    add(bench._database, free, paid)
    plain = bench.dashboard().record().plain
    assert re.search(r"^e/free .* unknown ", plain, re.MULTILINE)
    assert re.search(r"^e/paid .* \$0\.50 ", plain, re.MULTILINE)
    assert re.search(r"^cost +\$0\.50 \+ 1 unknown$", plain, re.MULTILINE)


def test_the_record_says_amounts_as_the_page_does(bench: Workbench) -> None:
    """What costs nothing is $0, dollars are rounded to cents, and short times are in milliseconds."""
    add(
        bench._database, row(1, model="free", cost=0.0, duration=0.003), row(2, model="paid", cost=1.2345, duration=2.5)
    )
    plain = bench.dashboard().record().plain
    assert re.search(r"^cloud/free .* \$0 .* 3 ms$", plain, re.MULTILINE)
    assert re.search(r"^home/paid .* \$1\.23 .* 2\.5 s$", plain, re.MULTILINE)


def test_models_of_two_endpoints_are_two(filled: Workbench) -> None:
    """A model is told apart, and chosen, by its endpoint as well."""
    dashboard = filled.dashboard()
    for endpoint in ("cloud", "home"):
        dashboard.filters = {"model": [f"{endpoint}/small"]}
        assert dashboard.frame()["id"].tolist() == filled.usage(model="small", endpoint=endpoint)["id"].tolist()
        assert f"Only model: {endpoint}/small" in dashboard.record().plain


def test_the_record_is_renewed_soon_after_a_choice(filled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a notebook keeps follows what is in view, while somebody looks; the calls aren't sent again for that."""
    monkeypatch.setattr(module, "POLL_S", 0.02)
    monkeypatch.setattr(module, "RENEW_CHOICE_S", 0.1)
    kept: list[str] = []
    monkeypatch.setattr(Dashboard, "keep_record", lambda self: kept.append(self.record().plain))
    dashboard = filled.dashboard()
    sent = dashboard.rows
    View(dashboard).ok("watch", count=201)
    dashboard.filters = {"model": ["cloud/large"]}
    until(lambda: kept)
    assert "Only model: cloud/large" in kept[0]
    assert dashboard.rows is sent
    dashboard.close()


def test_the_record_shows_names_as_text(bench: Workbench) -> None:
    """A name that is markup stays text in the HTML and in the Markdown."""
    name = "<img src=x onerror=alert(1)>|`"
    add(bench._database, row(1, model=name, agent=name, notebook=name, error_type=name, status="failed"))
    html, markdown, _ = bench.dashboard().record()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;|`" in html
    assert "<img" not in markdown.replace("\\<img", "")


def test_the_page_sums_up_the_same(tmp_path: Path) -> None:
    """The page's tests compare their sums with those of `UsageFrame`; what they read of them is up to date."""
    assert msgspec.json.decode(FILE.read_bytes()) == page_data(tmp_path)


def test_live_is_an_option_of_usage(shell: Shell) -> None:
    """`%agent usage --live` gives a dashboard of the same choice; it goes with no other form."""
    shell.run("%agent chat hi")
    dashboard = shell.run("d = %agent usage --live --since 1h\nd")
    assert isinstance(dashboard, Dashboard)
    assert len(dashboard.frame()) == 1
    assert "--live" in str(shell.fail("%agent usage --live --plot"))


def test_a_choice_without_calls_is_not_called_an_empty_ledger(filled: Workbench) -> None:
    """Where no call fits the choice that a dashboard was opened with, its record names the choice as a reason."""
    dashboard = Dashboard(filled, model="nobody")
    assert "only such calls do" in dashboard.record().plain
    dashboard.close()
