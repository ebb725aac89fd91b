"""Secrets are taken out of what upstreams say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.config import Secret
from agentbench.config.endpoint import Deployment
from agentbench.config.header_templates import parse
from agentbench.providers.mask import mask, shown

if TYPE_CHECKING:
    from agentbench.config import Endpoint


def test_own_key(endpoint: Endpoint) -> None:
    """The endpoint's key is taken out wherever it stands."""
    assert mask("(k3y-of-acme-0123456789) k3y-of-acme-0123456789", endpoint) == "(****) ****"


def test_own_headers(endpoint: Endpoint) -> None:
    """Header values may be keys too; short ones are no secrets."""
    with_headers = msgspec.structs.replace(endpoint, headers={"api-key": "f00dfeedbeef", "x-level": "1"})
    assert mask("level 1 of f00dfeedbeef", with_headers) == "level 1 of ****"


def test_parts_of_headers(endpoint: Endpoint) -> None:
    """What an upstream repeats of a header may be a part of it: a variable, or what follows a scheme."""
    written = {"X-Meta": parse('{"pass":"${PASS}"}', {"PASS": "hunter2-of-us"})}
    headers = {
        "X-Meta": '{"pass":"hunter2-of-us"}',
        "Authorization": "Custom f00dfeedbeef",
        "X-Title": "My application",
    }
    filled = msgspec.structs.replace(endpoint, headers=headers, header_templates=written)
    told = 'hunter2-of-us, {"pass":"hunter2-of-us"}, f00dfeedbeef, Custom f00dfeedbeef, application'
    assert mask(told, filled) == "****, ****, ****, ****, application"


def test_headers_of_deployments(endpoint: Endpoint) -> None:
    """Azure's are masked too."""
    there = Deployment(name="d", base_url="u", headers={"X-Team-Name": "the-blue-team"})
    assert mask("no the-blue-team", msgspec.structs.replace(endpoint, deployments={"m": there})) == "no ****"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("token eyJhbGciOi.eyJzdWIi.c2ln-_ is old", "token **** is old"),
        ("Incorrect API key provided: sk-proj-abc***xyz.", "Incorrect API key provided: sk-****"),
        ("Authorization: Bearer abcdef.123456", "Authorization: Bearer ****"),
        ("bearer abcdef123", "bearer ****"),
        ("gsk_abcdefgh and AIzaSyA1234567 and hf_abcdefgh", "gsk_**** and AIza**** and hf_****"),
        ("The key value is wrong; no key provided", "The key value is wrong; no key provided"),
        ("sk-1 task-completed risk_assessment", "sk-1 task-completed risk_assessment"),
    ],
)
def test_what_looks_like_a_key(text: str, masked: str) -> None:
    """Other keys are known by their looks; words are left alone."""
    assert mask(text) == masked


def test_empty_key(endpoint: Endpoint) -> None:
    """An empty key masks nothing."""
    assert mask("text", msgspec.structs.replace(endpoint, api_key=Secret(""))) == "text"


def test_shown_is_cut(endpoint: Endpoint) -> None:
    """What is shown is masked before it is cut."""
    assert shown("x" * 295 + "k3y-of-acme-0123456789", endpoint) == "x" * 295 + "****"
