"""Where options end and the prompt begins."""

from __future__ import annotations

import pytest

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option, parse

OPTIONS = (
    Option(("-t", "--temperature"), "how wild", "NUMBER", float),
    Option(("--system",), "instructions", "TEXT"),
    Option(("--max", "--max-output-tokens"), "longest answer", "TOKENS", int),
    Option(("--raw",), "a switch"),
)

GOOD = [
    ("Why is the sky blue?", {}, "Why is the sky blue?"),
    ("", {}, ""),
    ("-t 0.5 Why?", {"temperature": 0.5}, "Why?"),
    ("--temperature=0.5 Why?", {"temperature": 0.5}, "Why?"),
    ("--raw --max 5 go", {"raw": True, "max_output_tokens": 5}, "go"),
    ("--max-output-tokens 5 go", {"max_output_tokens": 5}, "go"),
    ('--system "Be kind." hi', {"system": "Be kind."}, "hi"),
    ("--system 'Be \"kind\".' hi", {"system": 'Be "kind".'}, "hi"),
    (r'--system "Say \"a\"." hi', {"system": 'Say "a".'}, "hi"),
    ('--system="Be kind." hi', {"system": "Be kind."}, "hi"),
    ("-t -1 cold", {"temperature": -1.0}, "cold"),
    ("-t 1 -t 2 hi", {"temperature": 2.0}, "hi"),
    ("What does ls -l do? --raw", {}, "What does ls -l do? --raw"),
    ("tell -t 0.5", {}, "tell -t 0.5"),
    ("-5 degrees", {}, "-5 degrees"),
    ("--- a line", {}, "--- a line"),
    ("- a list", {}, "- a list"),
    ("-rf what is that", {}, "-rf what is that"),
    ("-- -t is what?", {}, "-t is what?"),
    ("-t 1 -- --raw", {"temperature": 1.0}, "--raw"),
    ("  two  spaces ", {}, "two  spaces"),
    ("it's --raw", {}, "it's --raw"),
    ("'quoted' prompt", {}, "'quoted' prompt"),
    ("a=b", {}, "a=b"),
]
BAD = [
    ("--sytem x hi", "There is no option --sytem. Did you mean --system?"),
    ("-x hi", "There is no option -x."),
    ("-x hi", "A prompt that begins with a dash goes after --."),
    ("-t", "-t needs a value: -t/--temperature NUMBER."),
    ("-t wild", "-t wild: that is not a valid NUMBER."),
    ("--max 1.5", "--max 1.5: that is not a valid TOKENS."),
]


@pytest.mark.parametrize(("line", "values", "prompt"), GOOD)
def test_options_end_where_the_prompt_begins(line: str, values: dict[str, object], prompt: str) -> None:
    """Options are read up to the first other word or `--`; the rest is kept as it was written."""
    assert parse(line, OPTIONS) == (values, prompt)


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_wrong_option_is_named(line: str, message: str) -> None:
    """An unknown option, a missing and a wrong value are refused in a sentence that says what to write."""
    with pytest.raises(InvalidRequest) as caught:
        parse(line, OPTIONS)
    assert message in caught.value.message


@pytest.mark.parametrize("line", ["--raw=yes hi", "--raw=no hi"])
def test_a_switch_takes_no_value(line: str) -> None:
    """A value for a switch is refused rather than dropped."""
    with pytest.raises(InvalidRequest, match="--raw takes no value"):
        parse(line, OPTIONS)
