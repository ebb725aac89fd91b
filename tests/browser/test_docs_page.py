"""The page that shows the API, in a real browser with no internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.gateway.test_serve_process import serving

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
CHAT = "[data-path='/api/chat/completions']"


def test_trying_it_out(plain_page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One gives it a key, changes the example, and gets an answer; it loads nothing from elsewhere."""
    monkeypatch.setenv("ENV", "dev")
    asked: list[str] = []
    said: list[str] = []
    page = plain_page
    with serving(tmp_path) as server:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{server.url}/docs")
        page.click("button.authorize")
        page.fill("#auth-bearer-value", server.key)
        page.locator(".auth-btn-wrapper button[type=submit]").first.click()
        page.locator(".btn-done").first.click()
        page.locator(".opblock-tag", has_text="Open WebUI").click()
        chat = page.locator(".opblock", has=page.locator(CHAT))
        chat.locator(".opblock-summary-control").click()
        chat.locator(".try-out__btn").click()
        body = chat.locator("textarea")
        body.fill(body.input_value().replace("assistant", "bot"))
        chat.locator("button.execute").click()
        page.get_by_text('"content": "one two"').first.wait_for()
    assert [url for url in asked if not url.startswith(("data:", server.url))] == []
    assert said == []
