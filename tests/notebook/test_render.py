"""Markdown becomes HTML that reads well, grows cheaply and never hangs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.notebook.inert import text_of

from agentbench.notebook.render import Change, GrowingHtml, code_html, html_of, image_html, pieces_of, pretty_json
from agentbench.notebook.render.code import _LANGUAGES

REL = 'target="_blank" rel="noopener noreferrer nofollow"'
DOT = "data:image/png;base64,AAAA"
MIXED = "# Sky\n\nBlue *today*.\n\n- one\n- two\n\n```python\nx = 1\n```\n\n| a |\n| - |\n| b |\n\nSee [r].\n\n[r]: http://r.org\n"


def link(address: str, words: str) -> str:
    """Return a link as it should come out."""
    return f'<a href="{address}" {REL}>{words}</a>'


RENDERED = [
    ("Hello **there**", '<p dir="auto">Hello <strong>there</strong></p>\n'),
    ("~~old~~ `x<y`", '<p dir="auto"><s>old</s> <code>x&lt;y</code></p>\n'),
    ("# שלום", '<h1 dir="auto">שלום</h1>\n'),
    ("- a\n- b", '<ul dir="auto">\n<li>a</li>\n<li>b</li>\n</ul>\n'),
    ("3. a", '<ol start="3" dir="auto">\n<li>a</li>\n</ol>\n'),
    ("$a<b$ *c*", '<p dir="auto">$a&lt;b$ <em>c</em></p>\n'),
    ("$*a*$ $$\\{\n*b* \\\\ $$", '<p dir="auto">$*a*$ $$\\{\n*b* \\\\ $$</p>\n'),
    ("\\(*a*\\) \\[*b*\\] \\(", '<p dir="auto">\\(*a*\\) \\[*b*\\] (</p>\n'),
    ("$5 *or* $6, `$x`", '<p dir="auto">$5 <em>or</em> $6, <code>$x</code></p>\n'),
    ("```python\ndef f", '<pre><code><span class="ab-k">def</span> <span class="ab-f">f</span></code></pre>\n'),
    ('```js\n"a" // b', '<pre><code><span class="ab-s">"a"</span> <span class="ab-c">// b</span></code></pre>\n'),
    ("```sql\n1", '<pre><code><span class="ab-n">1</span></code></pre>\n'),
    ("```nonsense\nif\n```", "<pre><code>if\n</code></pre>\n"),
    ("    if x", "<pre><code>if x\n</code></pre>\n"),
]
ADDRESSES = [
    ("[a](https://b.org)", link("https://b.org", "a")),
    ("<mailto:a@b.org>", link("mailto:a@b.org", "mailto:a@b.org")),
    ("https://b.org/c_(d)?e=1&f", link("https://b.org/c_(d)?e=1&amp;f", "https://b.org/c_(d)?e=1&amp;f")),
    ("(see http://b.org).", f"(see {link('http://b.org', 'http://b.org')})."),
    ("**http://b.org**", f"<strong>{link('http://b.org', 'http://b.org')}</strong>"),
    ("xhttp://b.org http://", "xhttp://b.org http://"),
    ("[http://a.org](http://b.org)", link("http://b.org", "http://a.org")),
    ("`http://b.org`", "<code>http://b.org</code>"),
    ("[a](/b)", "[a](/b)"),
    (f"[a]({DOT})", "a"),
    (f"![a]({DOT})", f'<img src="{DOT}" alt="a">'),
    ("![a](http://b.org/c.png)", link("http://b.org/c.png", "a")),
    ("[![a](http://b.org/c.png)](http://d.org)", link("http://d.org", "a")),
]
ODD = {
    "a line": "a" * 1_000_000,
    "words": "word " * 200_000,
    "a fence": "```\n" + "x = 1\n" * 170_000,
    "code": "```python\n" + "x = 1\n" * 170_000,
    "quotes": ">" * 100_000,
    "quotes, a line each": ">\n" * 100_000,
    "lists": "- " * 100_000,
    "lists, a line each": "- a\n" * 100_000,
    "brackets": "[" * 100_000,
    "images": "![" * 50_000,
    "parentheses": "[a](" * 50_000,
    "addresses": "http://" * 50_000,
    "addresses, some": "http://a" * 2_000,
    "maths": "\\(" * 9_000,
    "slow code": "```java\n" + "\n" * 49_000,
}


class Clock:
    """Says what time it is; goes on by `step` whenever it is asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands."""
    return Clock()


@pytest.mark.parametrize(("text", "expected"), RENDERED)
def test_markdown_becomes_html(text: str, expected: str) -> None:
    """Blocks take the direction of their text; code is marked where its language is known; maths is text."""
    assert html_of(text) == expected


@pytest.mark.parametrize(("text", "expected"), ADDRESSES)
def test_an_address_is_followed_only_by_a_click(text: str, expected: str) -> None:
    """Web and mail become links, an image from elsewhere too; any other address stays text."""
    assert html_of(text) == f'<p dir="auto">{expected}</p>\n'


def test_tables_are_aligned() -> None:
    """A column's side is kept."""
    html = html_of("| a | b |\n| :- | -: |\n| 1 | 2 |")
    assert '<td style="text-align:right" dir="auto">2</td>' in html


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_text_takes_no_time(text: str) -> None:
    """A second is ten times what it takes here."""
    began = time.thread_time()
    html = html_of(text)
    growing = GrowingHtml()
    for at in range(0, len(text), 5_000):
        growing.feed(text[at : at + 5_000])
        growing.changes()
    growing.finish()
    assert time.thread_time() - began < 2  # twice the whole, and the stream
    assert "".join(growing.pieces) == html


def test_too_deep_is_shown_as_written() -> None:
    """Text that the parser would drop is kept, and what stands beside it is laid out."""
    deep = "> " * 30 + "bottom"
    assert pieces_of(f"*top*\n\n{deep}") == [
        '<p dir="auto"><em>top</em></p>\n',
        f'<pre class="ab-raw" dir="auto"><code>{deep.replace(">", "&gt;")}</code></pre>',
    ]


def test_what_is_too_long_is_shown_as_written() -> None:
    """The beginning of a very long text is laid out, the rest is there to read."""
    pieces = pieces_of(f"*{'a' * 1_000}*\n\n" * 150)
    assert pieces[0] == f'<p dir="auto"><em>{"a" * 1_000}</em></p>\n'
    assert pieces[-1].startswith('<pre class="ab-raw" dir="auto"><code>*a')
    assert text_of("".join(pieces)).count("a") == 150_000


def test_long_lines_and_blocks_of_code_are_not_marked() -> None:
    """Code is marked up to 50,000 characters, in lines up to 1,000."""
    assert "<span" in html_of("```python\n" + "if x: pass\n" * 1_000)
    assert "<span" not in html_of("```python\n" + "if x: pass\n" * 5_000)
    assert "<span" not in html_of("```python\n" + "if x: pass; " * 100)


@pytest.mark.parametrize("language", sorted(_LANGUAGES))
def test_every_language_shows_all_of_its_code(language: str) -> None:
    """Marking words loses none of them, also while the last line grows."""
    for code in ("a = 1", "\n$ a <b>\n\n>>> c\n", "\ufeff'é"):
        assert text_of(f"<p>{code_html(code, language)}") == code


def test_an_open_fence_stays_a_piece_of_its_own() -> None:
    """Each piece is whole by itself, so nothing after the answer gets into its code."""
    *_, last = pieces_of("a\n\n```html\n<b>")
    assert last == '<pre><code>&lt;<span class="ab-f">b</span>&gt;</code></pre>\n'


def test_threads_may_render_at_once() -> None:
    """The parser is shared."""
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(html_of, [MIXED] * 40))) == 1


def test_image_addresses_become_images_or_links() -> None:
    """An image that is there is shown, one from elsewhere linked to, anything else named."""
    assert image_html(DOT, "a") == f'<img src="{DOT}" alt="a">'
    assert image_html("https://b.org/c.png", "a") == link("https://b.org/c.png", "a")
    assert image_html("file:///c.png", "a <b>") == "a &lt;b&gt;"


def test_json_is_laid_out_unless_it_explodes() -> None:
    """Deep nesting costs its square in indents; no JSON stays as it is."""
    assert pretty_json('{"a":1}') == '{\n  "a": 1\n}'
    assert pretty_json("{a") == "{a"
    bomb = "[" * 100_000 + "]" * 100_000
    assert pretty_json(bomb) == bomb


def test_a_change_replaces_the_tail_only(clock: Clock) -> None:
    """What stands is not sent again; nothing new is no change."""
    growing = GrowingHtml(clock=clock)
    growing.feed("One\n\nTwo")
    assert growing.changes() == Change(0, ['<p dir="auto">One</p>\n', '<p dir="auto">Two</p>\n'])
    growing.feed("!")
    assert growing.changes() == Change(1, ['<p dir="auto">Two!</p>\n'])
    assert growing.changes() is None
    assert growing.finish() is None
    assert growing.text == "One\n\nTwo!"


def test_a_reference_that_comes_late_is_put_right_at_the_end(clock: Clock) -> None:
    """A link that had no address yet gets it when the text is whole; one that had it keeps it all along."""
    growing = GrowingHtml(clock=clock)
    for piece in ("[a]\n\nb\n\nc\n\n", "[a]: http://a.org\n\n", "d\n\ne\n\n[a]\n\n"):
        growing.feed(piece)
        growing.changes()
    assert growing.pieces[0] == '<p dir="auto">[a]</p>\n'
    assert link("http://a.org", "a") in growing.pieces[-1]
    assert growing.finish() == Change(0, pieces_of(growing.text))


@pytest.mark.parametrize("line_feed", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_a_stream_shows_what_the_whole_shows(size: int, line_feed: str, clock: Clock) -> None:
    """Cut anywhere, the changes add up to the whole text's HTML, even before the end."""
    text = (MIXED.replace("[r]", "r") + "One\n***bold***\n\ntwo\n=\n").replace("\n", line_feed)
    growing, shown = GrowingHtml(clock=clock), list[str]()
    for at in range(0, len(text), size):
        growing.feed(text[at : at + size])
        if change := growing.changes():
            shown[change.start :] = change.html
    assert "".join(shown) == html_of(text)


def test_rendering_rests_after_work(clock: Clock) -> None:
    """It takes a twenty-fifth of the time at most: after a second's work, none for 24."""
    growing = GrowingHtml(clock=clock)
    clock.step = 1.0
    growing.feed("a")
    assert growing.changes() is not None
    clock.step = 0.0
    growing.feed("b")
    clock.now += 23.9
    assert growing.changes() is None
    clock.now += 0.2
    assert growing.changes() == Change(0, ['<p dir="auto">ab</p>\n'])


def test_a_stream_costs_what_is_new() -> None:
    """An answer of 10 kB in 400 updates takes less than a second in all: 5 % of its 20 seconds."""
    text = ("The *quick* fox `jumps`. " * 8 + "\n\n- a\n- b\n\n```python\nx = 1\n```\n\n") * 40
    growing = GrowingHtml(clock=lambda: 0.0)
    began = time.thread_time()
    for at in range(0, 10_000, 25):
        growing.feed(text[at : at + 25])
        growing.changes()
    assert time.thread_time() - began < 1
