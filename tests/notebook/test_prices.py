"""`%agent prices` and `%agent chat --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.scripts import MODELS

import agentbench
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.conftest import Shell

RATES = {
    "prompt": 2.5,
    "completion": 15,
    "cacheRead": 0.25,
    "tiers": [{"above": 200_000, "prompt": 4, "cacheRead": 0.4}],
}
CONFIG = {
    "endpoints": {
        "scripted": {"models": MODELS, "tokenConfig": {"hello": RATES}},
        "custom": [{"name": "gone", "baseURL": "http://127.0.0.1:9/v1", "models": {"default": ["m"]}}],
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "hello"}],
}


@pytest.fixture
def priced(shell: Shell) -> Iterator[Shell]:
    """Give a shell with a model that costs something."""
    with agentbench.Workbench(CONFIG) as bench:
        agentbench.set_workbench(bench)
        yield shell


def dry_run(shell: Shell, line: str) -> Any:
    """Return the table of a dry run."""
    shell.run(f"table = %agent chat --dry-run {line}")
    return shell.ip.user_ns["table"]


def test_a_price(priced: Shell) -> None:
    """Each kind of token has its price, long requests their own; a cache write without one costs what input does."""
    table = priced.run("%agent prices hello")
    assert table.columns == ["model", "input", "cached", "cache write", "output", "long requests", "from"]
    assert table.rows == [
        ["scripted/hello", "2.5", "0.25", "2.5", "15", "above 200,000: input 4, cached 0.4", "config"],
    ]


def test_all_prices(priced: Shell) -> None:
    """What runs here costs nothing; what nobody knows says so."""
    rows = {row[0]: row for row in priced.run("%agent prices").rows}
    assert rows["scripted/turns"] == ["scripted/turns", "0", "0", "0", "0", "", "local"]
    assert rows["gone/m"] == ["gone/m", "", "", "", "", "", "unknown"]


def test_a_model_that_is_not_there(priced: Shell) -> None:
    """The nearest name is suggested."""
    error = priced.fail("%agent prices scripted/helo")
    assert isinstance(error, UnknownName)
    assert "scripted/hello" in str(error)


def test_a_dry_run(priced: Shell) -> None:
    """It shows each model's estimate, the cheapest first, and marks the one that would answer."""
    priced.run("%agent chat --dry-run --max 1000 Hello?")
    assert "scripted/hello ←" in priced.printed
    table = dry_run(priced, "--max 1000 Hello?")
    rows = {row[0]: row for row in table.rows}
    model, tokens, asking, worst, longest = rows["scripted/hello ←"]
    assert (model, worst, longest) == ("scripted/hello ←", f"~${0.015 + float(asking[2:]):.6f}".rstrip("0"), "1,000")
    assert tokens.startswith("~")
    assert rows["gone/m"][2:4] == ["unknown", "unknown"]
    assert table.rows[-1][0] == "gone/m"
    assert "Nothing was sent" in table.note


def test_a_dry_run_leaves_nothing_behind(priced: Shell) -> None:
    """No conversation begins, no call is counted, no variable is set, and the last answer is the one before."""
    priced.run("%agent chat --dry-run --to answer Hello?")
    bench = agentbench.get_workbench()
    assert (bench.conversations(), len(bench.usage())) == ([], 0)
    assert "answer" not in priced.ip.user_ns
    assert agentbench.last() is None


def test_a_dry_run_takes_the_options(priced: Shell) -> None:
    """Another model is marked, and tools count."""
    priced.ip.user_ns["look"] = look
    plain, with_tools = dry_run(priced, "Hello?"), dry_run(priced, "-m scripted/turns --tools look Hello?")
    marked = next(row for row in with_tools.rows if "←" in row[0])
    assert marked[0] == "scripted/turns ←"
    assert int(marked[1][1:]) > int(plain.rows[0][1][1:])


def look(place: str) -> str:
    """Look somewhere."""
    return place


def test_a_dry_run_counts_the_conversation(priced: Shell) -> None:
    """What was said before would be sent too."""
    first = dry_run(priced, "Hello?")
    priced.run("%agent chat Hello?")
    again = dry_run(priced, "Hello?")
    assert int(again.rows[0][1][1:]) > int(first.rows[0][1][1:])
