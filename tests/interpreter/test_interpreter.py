"""What comes back from a run: what it printed, its error, its pictures and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.interpreter.values import Made

if TYPE_CHECKING:
    from agentbench.interpreter.interpreter import Interpreter

pytestmark = pytest.mark.anyio

FAKE_FIGURES = """
import sys
from types import ModuleType, SimpleNamespace as Thing
def savefig(target, **options): target.write(b"a picture")
open_ones = [Thing(canvas=Thing(figure=Thing(savefig=savefig)))] * 2
sys.modules["matplotlib._pylab_helpers"] = module = ModuleType("fake")
module.Gcf = Thing(get_all_fig_managers=lambda: open_ones, destroy_all=open_ones.clear)
"""


async def test_names_are_kept_between_runs(interpreter: Interpreter) -> None:
    """A run sees what earlier ones defined, and prints the value of a last expression."""
    first = await interpreter.run("x = 41\ndef more(n):\n    return n + 1")
    second = await interpreter.run("print('so:')\nmore(x)")
    assert (first.logs, second.logs) == ("", "so:\n42\n")


async def test_none_is_not_printed(interpreter: Interpreter) -> None:
    """A last expression without a value prints nothing, as in a notebook."""
    assert (await interpreter.run("print('once')")).logs == "once\n"


async def test_a_table_is_printed_as_text(interpreter: Interpreter) -> None:
    """Pandas works, and a table that is the last expression is shown."""
    ran = await interpreter.run("import pandas as pd\npd.DataFrame({'a': [1]})")
    assert (ran.error, ran.logs) == (None, "   a\n0  1\n")


async def test_an_error_is_told_with_its_line(interpreter: Interpreter) -> None:
    """The traceback begins in the code, shows its lines, and what was printed before is there."""
    ran = await interpreter.run("def halve(n):\n    return n / 0\nprint('before')\nhalve(2)")
    assert ran.error is not None
    lines = ran.error.splitlines()
    assert (lines[1], lines[-1]) == ('  File "<cell 1>", line 4, in <module>', "ZeroDivisionError: division by zero")
    assert ("    return n / 0" in lines, ran.logs, ran.timed_out) == (True, "before\n", False)


async def test_code_that_is_no_python(interpreter: Interpreter) -> None:
    """A mistake in the syntax is an error like others, and the next run works."""
    ran = await interpreter.run("def (:")
    assert "SyntaxError" in (ran.error or "")
    assert (await interpreter.run("1")).logs == "1\n"


async def test_texts_that_are_no_unicode(interpreter: Interpreter) -> None:
    """Halves of characters, in the code or in what it says, do no harm."""
    assert (await interpreter.run("'\ud800'")).error is None
    assert "\\udc80 é" in ((await interpreter.run(r"raise ValueError('\udc80 \xe9')")).error or "")


async def test_files_that_are_put_can_be_read(interpreter: Interpreter) -> None:
    """A file lies in the working folder by its last name, and isn't given back unless it changes."""
    await interpreter.put("../../sales.csv", b"a,b")
    ran = await interpreter.run("print(open('/mnt/data/sales.csv').read(), open('sales.csv').read())")
    assert (ran.logs, ran.files) == ("a,b a,b\n", ())


async def test_a_put_does_not_follow_links(interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that replaces a link, which the code made, leaves alone what that pointed to."""
    target = tmp_path_factory.mktemp("elsewhere") / "kept"
    target.write_text("as it was")
    await interpreter.run(f"import os; os.symlink({str(target)!r}, 'link')")
    await interpreter.put("link", b"new")
    assert (target.read_text(), (await interpreter.run("open('link').read()")).logs) == ("as it was", "'new'\n")


async def test_new_and_changed_files_come_back(interpreter: Interpreter) -> None:
    """Pictures and other files are told apart, with their paths and types."""
    await interpreter.put("notes.txt", b"old")
    ran = await interpreter.run(
        "import os; os.mkdir('out')\n"
        "open('/mnt/data/notes.txt', 'a').write(' new')\n"
        "open('out/plot.png', 'wb').write(b'picture')"
    )
    assert ran.files == (Made(name="notes.txt", data=b"old new", content_type="text/plain"),)
    assert ran.images == (Made(name="out/plot.png", data=b"picture", content_type="image/png"),)
    assert (await interpreter.run("1")).images == ()


async def test_links_and_pipes_are_no_files(interpreter: Interpreter) -> None:
    """What isn't a file doesn't come back, and nobody waits for it."""
    ran = await interpreter.run("import os; os.symlink('/etc/passwd', 'a.txt'); os.mkfifo('b.txt')")
    assert (ran.error, ran.files, ran.images) == (None, (), ())


async def test_figures_come_back(interpreter: Interpreter) -> None:
    """Figures still open when a run ends are pictures of it, and of no other run."""
    ran = await interpreter.run(FAKE_FIGURES)
    assert [(m.name, m.data) for m in ran.images] == [("figure-1.png", b"a picture"), ("figure-2.png", b"a picture")]
    assert (await interpreter.run("1")).images == ()


async def test_figures_of_matplotlib(interpreter: Interpreter) -> None:
    """`plt.show()` takes a figure away, so that it comes back once; later ones come besides."""
    pytest.importorskip("matplotlib")
    ran = await interpreter.run(
        "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\nplt.close('all')\nplt.plot([2])"
    )
    assert [each.data[:4] for each in ran.images] == [b"\x89PNG"] * 2


async def test_no_path_of_this_machine_is_shown(interpreter: Interpreter) -> None:
    """Logs and errors name `/mnt/data` where the folder's real path would stand."""
    ran = await interpreter.run("import os\nprint(os.getcwd(), f'{\"\"}/mnt/data/x')\nopen('/mnt/data/missing')")
    assert ran.logs == "/mnt/data /mnt/data/x\n"
    assert "No such file or directory: '/mnt/data/missing'" in (ran.error or "")
