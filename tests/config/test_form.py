"""What a form knows of each key: all of it from the schema."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field as SchemaField

from agentbench.config import form
from agentbench.config.form import Field, fields_at, text_of
from agentbench.config.schema import EndpointsSection
from agentbench.config.section import fields_of
from agentbench.config.section_layers import SECRETS
from agentbench.config.shared_schema import SharedSection

OPENAI = ("endpoints", "openAI")


@pytest.fixture
def fields() -> dict[str, Field]:
    """Return the fields of an endpoint by key."""
    return {each.key: each for each in fields_at(OPENAI)}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("titleModel", "text"),
        ("titlePrompt", "long_text"),
        ("streamRate", "number"),
        ("maxToolResultChars", "integer"),
        ("titleConvo", "boolean"),
        ("titleTiming", "choice"),
        ("dropParams", "list"),
        ("headers", "mapping"),
        ("models", "structured"),
        ("addParams", "structured"),
    ],
)
def test_the_kind_of_a_key(fields: dict[str, Field], key: str, kind: str) -> None:
    """Each type has a control."""
    assert fields[key].kind == kind


def test_limits_and_choices(fields: dict[str, Field]) -> None:
    """They are those that the check enforces."""
    assert (fields["streamRate"].minimum, fields["streamRate"].above) == (0, None)
    assert (fields["connectTimeout"].minimum, fields["connectTimeout"].above) == (None, 0)
    assert fields["titleTiming"].choices == ("immediate", "final")


def test_what_holds_without_a_key(fields: dict[str, Field]) -> None:
    """Defaults are told as text, and nothing is told where there is none."""
    assert (fields["titleConvo"].default, fields["connectTimeout"].default) == ("false", "10")
    assert (fields["models"].default, fields["titlePrompt"].default) == ("fetch: true", "")


def test_secrets_are_known(fields: dict[str, Field]) -> None:
    """A key that holds a secret is masked by its name."""
    assert {key for key, field in fields.items() if field.secret} == {"apiKey"}
    assert {each.key for each in fields_at(("endpoints", "bedrock")) if each.secret} == set(SECRETS)


def test_the_name_of_an_endpoint_is_fixed() -> None:
    """It is how other keys find the endpoint."""
    fixed = [each.key for each in fields_at(("endpoints", "custom", 0)) if each.fixed]
    assert fixed == ["name"]


@pytest.mark.parametrize("name", [*fields_of(EndpointsSection)])
def test_every_key_of_every_block_is_there(name: str) -> None:
    """What the schema has, a form has, in the order of its groups."""
    made = fields_at(("endpoints", name))
    assert {each.key for each in made} == set(fields_of(form.section_at(("endpoints", name))))
    assert [form.GROUPS.index(each.group) for each in made] == sorted(form.GROUPS.index(each.group) for each in made)


def test_a_new_setting_needs_no_more_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is put into the schema has its control at once."""

    class Longer(SharedSection):
        retry_wait: Annotated[int, SchemaField(le=9)] | None = SchemaField(
            default=3, ge=1, alias="retryWait", examples=[5], description="seconds, see [waiting](#waiting)"
        )

    monkeypatch.setattr(form, "section_at", lambda _: Longer)
    new = next(each for each in fields_at(OPENAI) if each.key == "retryWait")
    assert new == Field(
        key="retryWait",
        kind="integer",
        group="General",
        what="seconds, see waiting",
        default="3",
        example="5",
        minimum=1,
        maximum=9,
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (25.0, "25"),
        (None, ""),
        (["a", "b"], "a, b"),
        ({"a": 1, "b": {"c": [2]}}, "a: 1, b: {c: [2]}"),
    ],
)
def test_values_as_text(value: object, expected: str) -> None:
    """They are short and on one line."""
    assert text_of(value) == expected
