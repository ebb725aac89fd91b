"""The installation that the page on scaling shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agentbench.__main__ import main
from agentbench.storage.engine import READERS

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = DOCS / "examples"


@pytest.fixture
def compose() -> dict[str, Any]:
    """Give the parsed compose file."""
    parsed: dict[str, Any] = YAML(typ="safe").load(EXAMPLES / "compose.yaml")
    return parsed


def test_its_parts_fit(compose: dict[str, Any]) -> None:
    """Everything that a service names is there: services, configs with their files, volumes."""
    services = compose["services"]
    assert sorted(services) == ["database", "gateway", "proxy"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert {each["source"] for each in service.get("configs", ())} <= set(compose["configs"])
        assert {each.partition(":")[0] for each in service.get("volumes", ())} <= set(compose["volumes"])
    assert all((EXAMPLES / each["file"]).is_file() for each in compose["configs"].values())
    assert "reverse_proxy" in (EXAMPLES / "Caddyfile").read_text()


def test_it_serves(compose: dict[str, Any]) -> None:
    """The gateway's context is the project, its command one that there is, and who watches asks where it listens."""
    gateway = compose["services"]["gateway"]
    assert (EXAMPLES / gateway["build"]["context"] / "pyproject.toml").is_file()
    assert '"agentbench", "serve", "--host", "0.0.0.0"' in gateway["build"]["dockerfile_inline"]
    assert ":8017/ready" in " ".join(gateway["healthcheck"]["test"])
    assert "gateway 8017" in (EXAMPLES / "Caddyfile").read_text()


def test_connections_are_enough(compose: dict[str, Any]) -> None:
    """The database takes all connections of so many processes, as the page counts them."""
    services = compose["services"]
    replicas = int(re.search(r":-(\d+)", services["gateway"]["deploy"]["replicas"])[1])  # type: ignore[index]
    most = int(services["database"]["command"][-1].partition("=")[2])
    assert replicas * (READERS + 1) + 10 <= most
    assert f" {READERS + 1} + 10\n" in (DOCS / "scaling.md").read_text(encoding="utf-8").replace("\u00d7 ", "")


def test_its_config(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key of it is used."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    main(["check", str(EXAMPLES / "agentbench.yaml")])
    assert "0 ignored, 0 wrong" in capsys.readouterr().out
