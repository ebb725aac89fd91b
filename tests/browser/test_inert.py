from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from notebook.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

# One has half a character, which no notebook can hold.
HOSTILE = [text for name, text in PAYLOADS.items() if name != "half a character"]
STEP = 15
ANSWERS = ["\n\n".join(HOSTILE[place : place + STEP]) for place in range(0, len(HOSTILE), STEP)]
CALLS = [{"call": {"name": "look", "arguments": {"what": text}}} for text in HOSTILE[:12]]
MODELS: dict[str, Any] = {
    "hostile": {"turns": [[{"reasoning": text}, {"text": text}] for text in ANSWERS]},
    "caller": {"turns": [CALLS, [{"text": "Done."}]]},
}
SET_UP = f"""\
import agentbench
HOSTILE = {HOSTILE!r}
def look(what: str) -> str:
    "Look."
    return "\\n".join(HOSTILE)
bench = agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {MODELS!r}}}}}}})
bench.add_tool(look)
chat = bench.chat(model="scripted/hostile")
chat
"""
ASK = f"""\
for place in range({len(ANSWERS)}):
    chat.ask("\\n".join(HOSTILE[place * {STEP} : (place + 1) * {STEP}]))
bench.rename(chat.conversation, HOSTILE[0])
"""
CALL = """\
caller = bench.ask("Look.", model="scripted/caller", functions=[look])
inspector = bench.inspect(caller)
inspector
"""
EXPORT = """agentbench.export("page.html", chat, inspector, title=HOSTILE[0])"""
FOUND = "() => window.xss ?? null"
LIVE_MARKUP = """() => [...document.querySelectorAll('.ab-root *, .agentbench-record *')].flatMap(each =>
    ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'FORM', 'META', 'BASE', 'LINK', 'STYLE'].includes(each.tagName)
        ? [each.tagName]
        : [...each.attributes].filter(one => /^on/i.test(one.name) || /^\\s*(javascript|vbscript):/i.test(one.value))
              .map(one => `${each.tagName} ${one.name}=${one.value}`))"""


@pytest.fixture
def hostile(lab: Lab) -> Notebook:
    """Return a notebook in which a hostile model has said it all."""
    notebook = lab.open([SET_UP, ASK, CALL, EXPORT])
    notebook.run_all(timeout=120)
    return notebook


def test_nothing_that_a_model_says_runs(lab: Lab, hostile: Notebook) -> None:
    """In the live views and their records, and for a reader without a kernel, hostile text is text."""
    assert [lab.page.evaluate(FOUND), lab.page.evaluate(LIVE_MARKUP), lab.blocked] == [None, [], set()]
    assert "<script>window.xss=1</script>" in lab.page.locator(".ab-chat").inner_text()
    hostile.reopen(lab, "none")
    assert [lab.page.evaluate(FOUND), lab.page.evaluate(LIVE_MARKUP), lab.blocked] == [None, [], set()]
    assert "<script>window.xss=1</script>" in hostile.text(0)


def test_nothing_runs_in_an_exported_page(lab: Lab, hostile: Notebook) -> None:
    """The page that `export` writes is as inert, and asks no server for anything."""
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    file: Path = hostile.file.with_name("page.html")
    page.goto(file.as_uri())
    page.locator(".ab-inspector").wait_for()
    assert "<script>window.xss=1</script>" in page.locator(".ab-chat").inner_text()
    assert [page.evaluate(FOUND), page.evaluate(LIVE_MARKUP)] == [None, []]
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    page.close()
