"""Python values in prompts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.interpolate import interpolate, lookup

NAMES: dict[str, Any] = {"topic": "clouds", "evil": "{{secret}}", "secret": "s3cret", "numbers": [1, 2]}

GOOD = [
    ("Tell of {{topic}}.", "Tell of clouds."),
    ("{{ topic }}{{topic}}", "cloudsclouds"),
    ("{{evil}}", "{{secret}}"),
    ("{topic} {} }} }", "{topic} {} }} }"),
    ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ("{{sum(numbers)}}", "3"),
    ("{{[n + numbers[0] for n in numbers]}}", "[2, 3]"),
    ("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}"),
    ("{{{'a': topic}}}", "{'a': 'clouds'}"),
    ("{{'}}'}}", "}}"),
    ("{{\n  topic\n}}", "clouds"),
    ("{{topic}}}}", "clouds}}"),
]
BAD = [
    ("{{topik}}", "{{topik}}: there is no variable 'topik'. Did you mean 'topic'?"),
    ("{{zzz}}", "{{zzz}}: there is no variable 'zzz'."),
    ("{{1 / 0}}", "{{1 / 0}} raised ZeroDivisionError: division by zero"),
    ("{{topic.nose}}", "{{topic.nose}} raised AttributeError"),
    ("{{topic", "{{topic: there is no closing }}. Use --raw"),
    ("{{a b}}", "{{a b}}: that is not a Python expression"),
    ("{{}}", "{{}}: that is not a Python expression"),
    ("{{x = 1}}", "{{x = 1}}: that is not a Python expression"),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_expressions_are_replaced_once(text: str, expected: str) -> None:
    """An expression in double braces gives its value; what was put in and single braces stay as they are."""
    assert interpolate(text, NAMES) == expected


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_wrong_expression_is_named(text: str, message: str) -> None:
    """The error shows the expression and what is wrong with it, with the nearest name."""
    with pytest.raises(InvalidRequest) as caught:
        interpolate(text, NAMES)
    assert caught.value.message.startswith(message)


def test_a_frame_is_put_in_as_its_schema() -> None:
    """A DataFrame of many rows takes few lines; its text, if that is asked for, takes all."""
    frame = pd.DataFrame({"n": range(500)})
    assert len(interpolate("{{frame}}", {"frame": frame}).splitlines()) == 9
    assert len(interpolate("{{frame.to_string()}}", {"frame": frame}).splitlines()) == 501


def test_an_expression_leaves_no_names_behind() -> None:
    """What an expression assigns doesn't reach the person's variables."""
    names = dict(NAMES)
    interpolate("{{(made := 1)}}", names)
    assert names == NAMES


def test_a_variable_is_found_by_its_name() -> None:
    """An option that names a variable gets it; a wrong name is refused with the nearest."""
    assert lookup("topic", NAMES, option="--json") == "clouds"
    with pytest.raises(InvalidRequest, match=r"--json topik: there is no variable 'topik'\. Did you mean 'topic'\?"):
        lookup("topik", NAMES, option="--json")
