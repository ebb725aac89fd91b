"""What a model says can't become script, and reads as it was written."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agentbench.notebook.sanitize import fence, literal, safe

IMAGE = '<img src=x onerror="alert(1)">'

# What looks dangerous, and what it becomes.
ESCAPED = [
    ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
    (f"Look: {IMAGE}", 'Look: &lt;img src=x onerror="alert(1)">'),
    ("<iframe src=x></iframe>", "&lt;iframe src=x>&lt;/iframe>"),
    ("a <!-- comment --> b", "a &lt;!-- comment --> b"),
    ("List<String> x", "List&lt;String> x"),
    ("a\r\n<b>", "a\n&lt;b>"),
    ("$a<b$ or $$\nx<y\n$$", "$a< b$ or $$\nx< y\n$$"),
    (f"a ` b\n\n{IMAGE}\n\nc ` d", 'a ` b\n\n&lt;img src=x onerror="alert(1)">\n\nc ` d'),
    ("\\`<b>\\`", "\\`&lt;b>\\`"),
    ("- a `\n- <b>`", "- a `\n- &lt;b>`"),
    ("# a `\n<b>\n# b `", "# a `\n&lt;b>\n# b `"),
    ("1.\n        <b>", "1.\n        &lt;b>"),
    ("| a | b |\n| - | - |\n| x ` | <b> ` |", "| a | b |\n| - | - |\n| x ` | &lt;b> ` |"),
    ("http://x` <b> `", "http://x` &lt;b> `"),
    ('``` x"onmouseover="alert(1)\ncode\n```', "```\ncode\n```"),
    ('![$"onerror="alert(1)$](x)', "&#33;[$''onerror=''alert(1)$](x)"),
    ("$$www.x.y$$`<b> `", "$$www.x.y$$`&lt;b> `"),
    ('- a\n> 1. b\n    ```"c"', "- a\n> 1. b\n    ```&quot;c&quot;"),
    ("- - \na\n\n    <b>", "- - \na\n\n    &lt;b>"),
    ('[a](x$ "y") $', "[a](x$ &quot;y&quot;) $"),
]

# What is dangerous to some reader of Markdown, and so is shown as code.
SHOWN_AS_CODE = [
    "[a](javascript:alert(1))",
    "[a]( JavaScript:alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a](&#106;avascript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a](javascript\\:alert(1))",
    "[a](data:text/html,x)",
    "[a]\n\n[a]: javascript:alert(1)",
    "> [a]: javascript:alert(1)\n\n[a]",
    "- ```\n  $\n  ```\n  $ [a](x)",
    f"$\n - ```\n   $\n   {IMAGE}\n   ```",
    f"~~~\n~~~`\n{IMAGE}",
    "> ~~~\n    > <b>",
]

# What is harmless, and stays as it is.
KEPT = [
    "Plain words, **bold**, [a link](https://example.org).",
    "a < b and c > d",
    "See <https://example.org/a?b=c> or <mailto:someone@example.org>.",
    "Write `<b>bold</b>` or `a < b`.",
    "```html\n<b>bold</b>\n```",
    "````md\n```html\n<b>bold</b>\n```\n````",
    "~~~html\n<b>bold</b>\n~~~",
    "- a list\n\n  ```html\n  <b>$x $y</b>\n  ```",
    "> ```html\n> <b>bold</b>\n> ```",
    "Code:\n\n    <b>bold</b>",
    "PHP:\n\n```php\n<?php echo $a; echo $b; ?>\n```\n\nwith `$a` and `$b`",
    "```js\nconst text = `${a}\n<b>${b}</b>`;\n```",
    "It costs $5 for `List<String>` and $6.",
    "![a dot](data:image/png;base64,AAAA)",
    "| a | b |\n| - | - |\n| `x|y` | 1 |",
    "[1]: https://example.org 'A title'\n\nSee [1].",
]


@pytest.mark.parametrize(("text", "expected"), ESCAPED)
def test_markup_is_escaped(text: str, expected: str) -> None:
    """Outside code a tag is text, and so is a quote where JupyterLab may see maths."""
    assert safe(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![a cat](https://example.org/?said=secret)", "&#33;[a cat](https://example.org/?said=secret)"),
        ("![cat][1]\n\n[1]: https://example.org", "&#33;[cat][1]\n\n[1]: https://example.org"),
        ("\\\\![cat](//example.org)", "\\\\&#33;[cat](//example.org)"),
        ("`![cat](https://example.org)`", "`![cat](https://example.org)`"),
        ("![dot](data:image/png;base64,AA==)", "![dot](data:image/png;base64,AA==)"),
    ],
)
def test_no_image_is_fetched(text: str, expected: str) -> None:
    """An image becomes a link, as fetching it would tell its server what the model put into the address."""
    assert safe(text) == expected


@pytest.mark.parametrize("text", SHOWN_AS_CODE)
def test_what_may_run_is_shown_as_code(text: str) -> None:
    """A link that runs something, or code that a reader may take for prose, is shown as it was written."""
    assert safe(text) == fence(text, "")


@pytest.mark.parametrize("text", KEPT)
def test_what_is_harmless_stays(text: str) -> None:
    """Code, maths, links and tables read as the model wrote them."""
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```html\n<b>", "```html\n<b>\n```"),
        ("```html\n<b>\n", "```html\n<b>\n```"),
        ("~~~~\nx", "~~~~\nx\n~~~~"),
        ("```", "```\n```"),
        ("- ```\n  <b>", "- ```\n  <b>"),
    ],
)
def test_an_open_fence_is_closed(text: str, expected: str) -> None:
    """An answer that stops within code doesn't draw what follows it in; a list closes its own."""
    assert safe(text) == expected


def test_every_beginning_is_safe() -> None:
    """An answer is drawn while it grows, so code is code from its first line on."""
    text = f"Code:\n\n```html\n{IMAGE}\n```\n\nand `{IMAGE}`, not {IMAGE}."
    for end in range(len(text)):
        assert live(safe(text[:end])) == [], text[:end]


PIECES = [IMAGE, "<b onclick=1>", "<script>", "`", "```", "\n```\n", "\n  ~~~\n", "$", "$$", "\n", "\n\n", "    ", "> "]
PIECES += ["- ", "1. ", "|", "![", "[a](", ")", "[a]: ", "javascript:x", '"', "\\", "<!--", "-->", "http://x", "x", " "]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_nothing_is_live(text: str) -> None:
    """Whatever pieces of Markdown and markup come together, no element that isn't Markdown's own comes out."""
    assert live(safe(text)) == []


@pytest.mark.parametrize("piece", ["`", "` ", "~~~\n", "> ```\n", "$ a", "\\begin{a}", "![a](", "]:\n"])
def test_a_model_that_repeats_itself_costs_little(piece: str) -> None:
    """A long answer is looked at in well under a second, whatever it is made of."""
    start = time.process_time()
    safe(piece * 4000 + "<b>")
    assert time.process_time() - start < 3


@pytest.mark.parametrize(("text", "language"), [("a", "json"), ("a ``` b", ""), ("````\n```", "")])
def test_a_fence_is_longer_than_any_within(text: str, language: str) -> None:
    """What is fenced can't end its fence."""
    (token,) = MarkdownIt().parse(fence(text, language))
    assert (token.type, token.info, token.content) == ("fence", language, f"{text}\n")


@pytest.mark.parametrize(
    "text", ["a|b", "*a* _b_ a_b", f"{IMAGE} `x`", "[a](javascript:x)", "\\<b> &lt; $x$", "~~a~~", "<http://x>"]
)
def test_literal_text_shows_itself(text: str) -> None:
    """Plain text in a table or a note looks as it is."""
    assert live(literal(text)) == []
    assert shown(literal(text)) == text


def test_literal_text_is_one_line() -> None:
    """A line break would end a row of a table."""
    assert literal(" a\n\n b\t") == "a b"


OWN = {"p", "em", "strong", "s", "code", "pre", "a", "img", "ul", "ol", "li", "blockquote", "hr", "br"}
OWN |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """Reads HTML as a browser does; keeps its text and what Markdown alone would not write."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.live: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look for foreign elements, handlers of events, and addresses that run."""
        for name, value in [("", ""), *attrs]:
            runs = re.match(r"\s*(javascript|vbscript|data:(?!image/))", value or "", re.IGNORECASE)
            if tag not in OWN or name.startswith("on") or runs:
                self.live.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """A comment is markup too."""
        self.live.append(data)


class Trusting(MarkdownIt):
    """Takes a dangerous link for a link, as other readers of Markdown do."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - markdown-it's shape and name
        """Take every address."""
        return True


def rendered(markdown: str) -> Reader:
    """Return Markdown as a browser gets it, with tables, as notebooks have them."""
    return Reader(Trusting("commonmark").enable(["table", "strikethrough"]).render(markdown))


def live(markdown: str) -> list[str]:
    """Return what in Markdown is more than Markdown."""
    return rendered(markdown).live


def shown(markdown: str) -> str:
    """Return the text that a reader sees."""
    return rendered(markdown).text.strip()
