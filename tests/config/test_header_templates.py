"""What headers become, and what can't get into them."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentbench.config.config import Config
from agentbench.config.effective import endpoint_for
from agentbench.config.header_templates import fill_headers, overridden, parse, unknown_names
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "TEAM": "sky",
    "KEY": "k3y-of-the-team",
    "BRACES": "{{LIBRECHAT_USER_EMAIL}} ${TEAM}",
    "LATIN": "Zoë",
    "KOREAN": "별",
    "LINES": "a\nb",
}
FACTS = {
    "LIBRECHAT_USER_ID": "user_1",
    "LIBRECHAT_USER_EMAIL": "ann@example.org",
    "LIBRECHAT_USER_NAME": "별이",
    "LIBRECHAT_USER_USERNAME": "Zoë",
    "LIBRECHAT_BODY_CONVERSATIONID": "conv_1",
    "LIBRECHAT_OPENID_TOKEN": "e.y.j",
}
META = '{"user":{"email":"{{LIBRECHAT_USER_EMAIL}}"}}'

FILLED = {
    "plain": ("sky", "sky"),
    "a variable": ("${TEAM}", "sky"),
    "several, side by side": ("${TEAM}${KEY} ${TEAM}", "skyk3y-of-the-team sky"),
    "several placeholders": ("{{LIBRECHAT_USER_ID}}/{{LIBRECHAT_BODY_CONVERSATIONID}}", "user_1/conv_1"),
    "both kinds": ("${TEAM}:{{LIBRECHAT_USER_ID}}", "sky:user_1"),
    "JSON around it": (META, '{"user":{"email":"ann@example.org"}}'),
    "three braces": ("{{{LIBRECHAT_USER_ID}}}", "{user_1}"),
    "beyond Latin-1": ("{{LIBRECHAT_USER_NAME}}", "b64:67OE7J20"),
    "Latin-1 stays": ("{{LIBRECHAT_USER_USERNAME}} ${LATIN}", "Zoë Zoë"),
    "a variable is not expanded again": ("${BRACES}", "{{LIBRECHAT_USER_EMAIL}} ${TEAM}"),
    "a name is not put together": ("{{LIBRECHAT_USER_${TEAM}}}", "{{LIBRECHAT_USER_sky}}"),
    "not known of this one": ("id={{LIBRECHAT_USER_GOOGLEID}}", "id="),
    "nothing comes of it": ("{{LIBRECHAT_USER_GOOGLEID}}", None),
    "blank as written": ("", None),
    "an unknown name is left out": ("a{{NOBODY}}b", "ab"),
    "so is one in small letters": ("a{{librechat_user_id}}", "a"),
    "and one with blanks": ("a{{ LIBRECHAT_USER_ID }}", "a"),
    "and no name at all": ("a{{}}", "a"),
    "an unknown name alone": ("{{NOBODY}}", None),
    "a credential": ("Bearer {{LIBRECHAT_OPENID_TOKEN}}", "Bearer e.y.j"),
    "a credential that isn't there": ("Bearer {{LIBRECHAT_OPENID_ACCESS_TOKEN}}", None),
    "one of two isn't there": ("{{LIBRECHAT_OPENID_TOKEN}} {{LIBRECHAT_OPENID_ID_TOKEN}}", None),
    "other facts of the issuer's are no credentials": ("u={{LIBRECHAT_OPENID_USER_ID}}", "u="),
    "a lone dollar": ("$1 {x} ${TEAM}", "$1 {x} sky"),
}


@pytest.mark.parametrize(("written", "sent"), FILLED.values(), ids=FILLED)
def test_what_is_sent(written: str, sent: str | None) -> None:
    """Each placeholder is filled where it stands; what comes out blank, or lacks a credential, isn't sent."""
    assert parse(written, ENVIRON).fill(FACTS) == sent


HOSTILE = st.text() | st.sampled_from(
    [
        "{{LIBRECHAT_USER_EMAIL}}",
        "{{LIBRECHAT_OPENID_TOKEN}}",
        "${KEY}",
        "}}{{LIBRECHAT_BODY_CONVERSATIONID}}",
        "\r\nX-Admin: yes",
        "a\x85b\x7f",
        "\ud800",
        "$&\\1\\g<0>",
    ]
)


@given(HOSTILE, HOSTILE)
def test_nothing_that_people_say_is_expanded(name: str, email: str) -> None:
    """Whatever a user's name holds, it comes out as it is, or encoded."""
    facts = {**FACTS, "LIBRECHAT_USER_NAME": f"<{name}>", "LIBRECHAT_USER_EMAIL": f"<{email}>"}
    sent = parse("${TEAM} {{LIBRECHAT_USER_NAME}} {{LIBRECHAT_USER_EMAIL}}", ENVIRON).fill(facts)
    assert sent == f"sky {_expected(name)} {_expected(email)}"


@given(HOSTILE, HOSTILE)
def test_what_comes_out_is_one_line(one: str, other: str) -> None:
    """No line break or control character gets into a header, and nothing beyond Latin-1."""
    facts = dict.fromkeys(FACTS, one) | {"LIBRECHAT_USER_EMAIL": other}
    sent = parse("a{{LIBRECHAT_USER_ID}}{{LIBRECHAT_USER_EMAIL}}{{LIBRECHAT_USER_NAME}}", ENVIRON).fill(facts) or ""
    assert re.fullmatch(r"[ -~\xa0-\xff]*", sent)


def _expected(value: str) -> str:
    line = "".join(each for each in f"<{value}>" if not (ord(each) < 0x20 or 0x7F <= ord(each) <= 0x9F))
    if max(map(ord, line)) <= 0xFF:
        return line
    return f"b64:{b64encode(line.encode('utf-8', 'replace')).decode()}"


def test_what_is_encoded_can_be_read() -> None:
    """It is UTF-8 in base64."""
    sent = parse("{{LIBRECHAT_USER_NAME}}", {}).fill({"LIBRECHAT_USER_NAME": "Zoë 별"}) or ""
    assert b64decode(sent.removeprefix("b64:")).decode() == "Zoë 별"


@pytest.mark.parametrize("written", ["${KOREAN}", "별", "${LINES}", "${NOT_SET}", "${{LIBRECHAT_USER_ID}}", "${A-B}"])
def test_what_no_header_can_hold(written: str) -> None:
    """A variable that isn't there and a text that can't be sent are the config's mistake."""
    with pytest.raises(ValueError, match=r"expected one line|environment variable"):
        parse(written, ENVIRON)


UNKNOWN = {
    "{{LIBRECHAT_USER_NAM}}": " Did you mean LIBRECHAT_USER_NAME?",
    "{{ LIBRECHAT_USER_ID }}": " Did you mean LIBRECHAT_USER_ID?",
    "{{librechat_user_email}}": " Did you mean LIBRECHAT_USER_EMAIL?",
    "{{zzz}}": "",
}


@pytest.mark.parametrize(("written", "hint"), UNKNOWN.items())
def test_unknown_names(written: str, hint: str) -> None:
    """Each is told with the nearest name that there is, for a text and for what was made of it."""
    sentence = f"{written} stands for nothing and is left out.{hint}"
    assert unknown_names(f"a {written} {{{{LIBRECHAT_USER_ID}}}}") == [sentence]
    assert unknown_names(parse(written, {})) == [sentence]


SHOWN = {
    "plain": ("X-Team", "sky", "sky", "sky"),
    "a variable is masked": ("X-Team", "a ${TEAM}", "a ****", "a ****"),
    "a placeholder": ("X-Who", "{{LIBRECHAT_USER_EMAIL}}", "{{LIBRECHAT_USER_EMAIL}}", "ann@example.org"),
    "an unknown one": ("X-Who", "a{{NOBODY}}", "a{{NOBODY}}", "a"),
    "key-like": ("X-Meta", "use sk-abcdefgh", "use sk-****", "use sk-****"),
    "a token": ("X-Meta", "eyJhbGciOi.eyJzdWIi.c2ln", "****", "****"),
    "a credential": ("X-T", "{{LIBRECHAT_OPENID_TOKEN}}", "{{LIBRECHAT_OPENID_TOKEN}}", "****"),
    "not sent": ("X-T", "{{LIBRECHAT_OPENID_ID_TOKEN}}", "{{LIBRECHAT_OPENID_ID_TOKEN}}", None),
    "a scheme may be seen": ("Authorization", "Bearer ${KEY}", "Bearer ****", "Bearer ****"),
    "a sensitive name": ("Authorization", "Bearer abc", "****", "****"),
    "text beside a variable": ("Authorization", "Bearer abc${KEY}", "****", "****"),
    "text beside a placeholder": ("X-Auth", "pw:{{LIBRECHAT_USER_ID}}", "****{{LIBRECHAT_USER_ID}}", "****user_1"),
}
SENSITIVE = (
    *("authorization", "X-Api-Key", "api-key", "x-goog-api-key", "Cookie", "X-Auth"),
    *("X-Session", "X-Amz-Signature", "X-Password", "X-JWT"),
)


@pytest.mark.parametrize(("name", "written", "as_written", "as_sent"), SHOWN.values(), ids=SHOWN)
def test_what_people_see(name: str, written: str, as_written: str, as_sent: str | None) -> None:
    """What may be secret is masked, as it is written and as it is sent."""
    template = parse(written, ENVIRON)
    assert (template.shown(name), template.preview(name, FACTS)) == (as_written, as_sent)


@pytest.mark.parametrize("name", SENSITIVE)
def test_sensitive_names(name: str) -> None:
    """What stands in such a header is never seen."""
    assert parse("hunter2", {}).shown(name) == "****"


def test_a_template_keeps_to_itself() -> None:
    """Neither a text nor a variable is in its repr."""
    assert repr(parse("hunter2 ${KEY}", ENVIRON)) == "Template(****)"


def test_two_mappings() -> None:
    """Of one name, in any case, the upper one counts, even where it is not sent then."""
    lower = {"X-A": parse("lower", {}), "X-B": parse("kept", {})}
    upper = {"x-a": parse("{{LIBRECHAT_OPENID_TOKEN}}", {})}
    assert fill_headers(overridden(lower, upper), {}) == {"X-B": "kept"}


def test_lists_are_joined() -> None:
    """A blank one adds nothing."""
    one, none = parse("a,b", {}), parse("", {})
    assert [each.fill({}) for each in (one.united(one), one.united(none), none.united(one))] == [
        "a,b,a,b",
        "a,b",
        "a,b",
    ]


# -- in a config ----------------------------------------------------------------------------------------------------

OWN_URL: dict[str, Any] = {
    "endpoints": {
        "openAI": {"apiKey": "k", "baseURL": "user_provided", "headers": {"X-Own": "1"}},
        "anthropic": {"apiKey": "user_provided", "headers": {"X-Own": "2"}},
        "custom": [{"name": "r", "baseURL": "user_provided", "models": ["m"], "headers": {"X-Own": "3"}}],
        "all": {"headers": {"X-All": "a"}},
        "agents": {"headers": {"X-Agents": "b"}},
    },
    "agents": [{"id": "a", "headers": {"X-Agent": "c"}}],
}


@pytest.mark.parametrize("name", ["openAI", "r"])
@pytest.mark.parametrize("session", [{}, {"baseURL": "http://mine/v1", "headers.X-New": "d"}])
def test_withheld_from_a_persons_own_address(name: str, session: dict[str, str]) -> None:
    """No header of the operator's goes there, whoever set it, and whichever agent answers."""
    config = Config(OWN_URL, {})
    for key, value in session.items():
        config.set(f"{name}.{key}", value)
    endpoint = config.catalog.endpoint(name)
    own = endpoint_for(config.catalog, endpoint, config.catalog.agent("a"))
    assert (dict(endpoint.header_templates), dict(own.header_templates)) == ({}, {})
    assert config.preview_headers(name, agent="a") == {}


def test_a_persons_own_key_takes_headers() -> None:
    """The address is the operator's, so the headers go there, an agent's too."""
    config = Config(OWN_URL, {})
    assert config.preview_headers("anthropic") == {"X-All": "a", "X-Own": "2"}
    shown = config.preview_headers("anthropic", agent="a")
    assert shown == {"X-All": "a", "X-Agents": "b", "X-Own": "2", "X-Agent": "c"}


def test_a_preview() -> None:
    """It is what the person at the kernel sends; what depends on a conversation stays as written."""
    headers = {
        "X-Who": "{{LIBRECHAT_USER_EMAIL}} {{LIBRECHAT_USER_ROLE}}",
        "X-Chat": "{{LIBRECHAT_BODY_CONVERSATIONID}}",
        "X-Team": "${TEAM}{{NOBODY}}",
        "X-Token": "{{LIBRECHAT_OPENID_TOKEN}}",
        "X-Nothing": "{{NOBODY}}",
    }
    config = Config({"endpoints": {"openAI": {"apiKey": "k", "headers": headers}}}, ENVIRON)
    assert config.preview_headers("OPENAI") == {
        "X-Who": "kernel@localhost ADMIN",
        "X-Chat": "{{LIBRECHAT_BODY_CONVERSATIONID}}",
        "X-Team": "****",
    }
    with pytest.raises(UnknownName):
        config.preview_headers("openAI", agent="nobody")


def test_unknown_names_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Reading the config warns of each, with its place; not once for every endpoint."""
    file = tmp_path / "agentbench.yaml"
    file.write_text(
        "endpoints:\n  openAI: {apiKey: k}\n  anthropic: {apiKey: k}\n"
        "  all: {headers: {X-A: '{{FOO}}'}}\n"
        "agents: [{id: a, endpoint: openAI, headers: {X-B: '{{BAR}}'}}]\n"
    )
    Config(file, {})
    assert caplog.messages == [
        f"{file}:4: headers.X-A: {{{{FOO}}}} stands for nothing and is left out.",
        f"{file}:5: headers.X-B: {{{{BAR}}}} stands for nothing and is left out.",
    ]


def test_azures_groups_have_placeholders_too(caplog: pytest.LogCaptureFixture) -> None:
    """They are filled like any other, and what a variable holds is not expanded."""
    group = {
        "group": "g",
        "apiKey": "k",
        "instanceName": "east",
        "deploymentName": "d",
        "models": {"m": True},
        "additionalHeaders": {"X-A": "${BRACES}", "X-B": "{{LIBRECHAT_USER_ID}}{{FOO}}"},
    }
    block = {"groups": [group], "headers": {"x-a": "1", "X-C": "2"}}
    config = Config({"endpoints": {"azureOpenAI": block}}, ENVIRON)
    templates = config.catalog.endpoint("azureOpenAI").deployments["m"].header_templates
    assert config.preview_headers("azureOpenAI") == {"X-C": "2", "X-A": "****", "X-B": "kernel"}
    assert fill_headers(templates, FACTS) == {"X-A": "{{LIBRECHAT_USER_EMAIL}} ${TEAM}", "X-B": "user_1"}
    assert caplog.messages == [
        "azureOpenAI/m: additionalHeaders.X-B: {{FOO}} stands for nothing and is left out.",
    ]
