"""Python functions as tools: what the model is told of them, and what is refused."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest
from tests.runner.shapes import Place, Trip, Unit

from agentbench import Tool, tool
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.tools import Toolbox, as_tool

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def weather(city: str, days: int = 1) -> str:
    """Look up the weather.

    It is the weather of the next days.

    Args:
        city: Where to look.
        days: How far ahead.
    """
    return f"{city} {days}"


def numpy_style(city: str) -> str:
    """Look up the weather.

    Parameters
    ----------
    city : str
        Where to look.
    """
    return city


def sphinx_style(city: str) -> str:
    """Look up the weather.

    :param city: Where to look.
    """
    return city


def parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the JSON schema that the model sees."""
    schema = as_tool(function).spec.parameters
    assert schema is not None
    return schema


async def call(function: Callable[..., Any], **arguments: Any) -> str:
    """Call a function as the model does."""
    return await as_tool(function).call(msgspec.json.encode(arguments).decode())


# -- what the model is told -----------------------------------------------------------------------------------------


def test_a_function() -> None:
    """Its name, its docstring without the parameters' part, and a schema of its type hints."""
    spec = tool(weather).spec
    assert (spec.name, spec.description) == (
        "weather",
        "Look up the weather.\n\nIt is the weather of the next days.",
    )
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "title": "City", "description": "Where to look."},
            "days": {"type": "integer", "title": "Days", "description": "How far ahead.", "default": 1},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("function", [weather, numpy_style, sphinx_style])
def test_docstring_styles(function: Callable[..., str]) -> None:
    """Parameters are described in any of the usual styles."""
    assert parameters(function)["properties"]["city"]["description"] == "Where to look."
    assert (as_tool(function).spec.description or "").startswith("Look up the weather.")


def test_a_bare_function() -> None:
    """Without hints and docstring anything may be given, and nothing is said."""

    def f(x, y=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - bare on purpose
        return x, y

    assert as_tool(f).spec.description is None
    assert parameters(f)["properties"] == {"x": {"title": "X"}, "y": {"title": "Y", "default": None}}


def test_no_parameters() -> None:
    """A function may take nothing."""

    def now() -> str:
        return "noon"

    assert parameters(now) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_kinds_of_types() -> None:
    """Choices are listed, absence is allowed, and shapes are described."""

    def f(kind: Literal["a", "b"], unit: Unit, maybe: int | None = None, trip: Trip | None = None) -> None:
        """Take much."""

    schema = parameters(f)
    assert schema["properties"]["kind"]["enum"] == ["a", "b"]
    assert schema["$defs"]["Unit"]["enum"] == ["celsius", "fahrenheit"]
    assert schema["properties"]["maybe"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert sorted(schema["$defs"]["Place"]["properties"]) == ["lat", "lon"]
    assert schema["required"] == ["kind", "unit"]


async def test_names_that_pydantic_uses() -> None:
    """A parameter may be called anything that Python allows."""

    def f(schema: int, json: int, model_config: int, _hidden: int, copy: int = 5) -> list[int]:
        """Take oddly named things."""
        return [schema, json, model_config, _hidden, copy]

    assert list(parameters(f)["properties"]) == ["schema", "json", "model_config", "_hidden", "copy"]
    assert await call(f, schema=1, json=2, model_config=3, _hidden=4) == "[1,2,3,4,5]"


# -- making one -----------------------------------------------------------------------------------------------------


def test_a_decorated_function() -> None:
    """It is a tool, and still callable as before."""
    made = tool(weather)
    assert isinstance(made, Tool)
    assert made("Oslo", days=3) == "Oslo 3"
    assert repr(made) == "Tool('weather')"


def test_options() -> None:
    """They go before what the function says."""

    @tool(name="sky-now", description="Look up.", approval="ask", timeout=5)
    def sky() -> str:
        """Look."""
        return "blue"

    assert (sky.name, sky.spec.description, sky.approval, sky.timeout) == ("sky-now", "Look up.", "ask", 5)
    assert sky() == "blue"


def test_without_options() -> None:
    """Nobody is asked, and a minute is the limit."""
    made = tool()(weather)
    assert (made.approval, made.timeout) == ("never", 60)
    assert as_tool(made) is made


@pytest.mark.parametrize("name", ["two words", "날씨", "f.g", "x" * 65])
def test_a_bad_name(name: str) -> None:
    """A name that providers don't take is refused."""
    with pytest.raises(InvalidRequest, match="can't be a tool's name"):
        tool(name=name)(weather)


def test_a_lambda() -> None:
    """It has no name to call it by."""
    with pytest.raises(InvalidRequest, match=r"'<lambda>' can't be a tool's name. Use @tool\(name="):
        as_tool(lambda: 1)


@pytest.mark.parametrize("thing", [5, str, Place, functools.partial(weather, "Oslo"), "weather"])
def test_not_a_function(thing: Any) -> None:
    """Whatever is not a function is refused."""
    with pytest.raises(InvalidRequest, match="is not a function"):
        as_tool(thing)


def several(*cities: str) -> None:
    """Take any number."""


def anything(**options: str) -> None:
    """Take any names."""


def by_place(city: str, /) -> None:
    """Take a city by its place."""


@pytest.mark.parametrize("function", [several, anything, by_place, print])
def test_a_refused_signature(function: Callable[..., None]) -> None:
    """What can't be called with named arguments is refused."""
    with pytest.raises(InvalidRequest, match="a model can only give named arguments"):
        tool(function)


def of_a_box(box: Toolbox) -> None:
    """Take what JSON can't hold."""


def of_a_function(function: type[Tool] | Callable[[], None]) -> None:
    """Take a type that isn't there when the hints are read."""


@pytest.mark.parametrize(("function", "why"), [(of_a_box, "Toolbox"), (of_a_function, "'Callable' is not defined")])
def test_refused_hints(function: Callable[..., None], why: str) -> None:
    """What has no JSON schema is refused, and the reason named."""
    with pytest.raises(InvalidRequest, match=f"The tool {function.__name__} needs type hints .*{why}"):
        tool(function)


def test_a_method() -> None:
    """A bound method is a function without its `self`."""

    class Shop:
        def price(self, what: str) -> str:
            """Return a price."""
            return what

    assert list(parameters(Shop().price)["properties"]) == ["what"]


# -- the toolbox ----------------------------------------------------------------------------------------------------


def test_a_toolbox() -> None:
    """It gives what is named, plain functions as tools; extra ones go before."""
    box, extra = Toolbox(), tool(name="weather")(sphinx_style)
    box.add(weather, tool(numpy_style))
    assert list(box.select(["numpy_style"])) == ["numpy_style"]
    assert box.select(["weather"], [extra]) == {"weather": extra}


def test_a_later_tool_replaces_an_earlier() -> None:
    """A cell that is run again defines its function anew."""
    box = Toolbox()
    box.add(weather)
    box.add(tool(name="weather")(sphinx_style))
    assert box.select(["weather"])["weather"]("Oslo") == "Oslo"


def test_a_missing_tool() -> None:
    """The error names the nearest."""
    box = Toolbox()
    box.add(weather)
    with pytest.raises(UnknownName, match=r"There is no tool 'wether'. Did you mean 'weather'\?"):
        box.select(["wether"])
