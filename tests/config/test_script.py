"""Scripts from plain Python lists."""

from __future__ import annotations

import pytest

from agentbench.config import Script, script
from agentbench.config.script import Call, Fail, Finish, Reasoning, Refusal, Step, Text, Usage, Wait
from agentbench.errors import ConfigError

STEPS: list[tuple[dict[str, object], Step]] = [
    ({"text": "Hello"}, Text("Hello")),
    ({"text": ""}, Text("")),
    ({"reasoning": "Hm."}, Reasoning("Hm.")),
    ({"refusal": "No."}, Refusal("No.")),
    ({"call": {"name": "now"}}, Call("now", "{}")),
    ({"call": {"name": "add", "arguments": {"a": 1, "b": None}}}, Call("add", '{"a":1,"b":null}')),
    ({"call": {"name": "add", "arguments": '{"a": '}}, Call("add", '{"a": ')),
    ({"wait": 0}, Wait(0.0)),
    ({"wait": 0.5}, Wait(0.5)),
    ({"usage": {}}, Usage()),
    (
        {"usage": {"input_tokens": 9, "output_tokens": 8, "cached_tokens": 7, "reasoning_tokens": 6}},
        Usage(input_tokens=9, output_tokens=8, cached_tokens=7, reasoning_tokens=6),
    ),
    ({"finish": "length"}, Finish("length")),
    ({"error": "overloaded"}, Fail("overloaded")),
]


@pytest.mark.parametrize(("written", "expected"), STEPS)
def test_each_kind_of_step_has_a_value(written: dict[str, object], expected: Step) -> None:
    """One key a step becomes one frozen value."""
    assert script([written]).turns == ((expected,),)


def test_a_list_is_one_turn_and_may_be_empty() -> None:
    """A model that says nothing is a script too."""
    assert script([]) == Script(((),))


def test_a_mapping_holds_several_turns() -> None:
    """Each turn is a list of its own."""
    assert script({"turns": [[{"text": "a"}], [{"text": "b"}]]}).turns == ((Text("a"),), (Text("b"),))


def test_wrong_steps_are_named_by_number() -> None:
    """All of them at once, with the nearest known key."""
    with pytest.raises(ConfigError) as caught:
        script([{"txt": "a"}, {"text": "b"}, {"wait": "long"}])
    assert caught.value.message == (
        "[0].txt: unknown key. Did you mean 'text'?\n[2].wait: expected a number, found text"
    )
    assert caught.value.__context__ is None


def test_arguments_that_json_cannot_hold_are_named() -> None:
    """An object of Python's is refused when the script is written, not when it plays."""
    with pytest.raises(ConfigError) as caught:
        script([{"call": {"name": "add", "arguments": {"a": object()}}}])
    assert caught.value.message == "[0].call.arguments: expected values that JSON can hold"
