"""Collections and files from Python: `bench.collection`, `bench.files` and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench import Workbench
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.workbench.collection import FileCollection

CONFIG = {"endpoints": {"scripted": {"models": {"m": [{"text": "Nine bar [1]."}]}}}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Give a workbench of its own."""
    with Workbench(CONFIG, home=tmp_path / "home") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with two notes, one of them Korean."""
    folder = tmp_path / "notes"
    (folder / "ko").mkdir(parents=True)
    (folder / "coffee.md").write_text("# Espresso\n\nBrew at nine bar. Fault F-217: scale.\n")
    (folder / "ko" / "김치.txt").write_text("배추는 여덟 시간 절입니다.\n", encoding="cp949")
    return folder


@pytest.fixture
def notes(bench: Workbench, folder: Path) -> FileCollection:
    """Give a collection that holds them."""
    return bench.collection("notes").add(folder, progress=False)


def test_search(notes: FileCollection) -> None:
    """What is added is found by its words, in either language, as typed rows."""
    frame = notes.search("F-217", top_k=1)
    assert list(frame[["name", "heading", "text_rank"]].itertuples(index=False)) == [("coffee.md", "Espresso", 1)]
    assert notes.search("배추를 몇 시간 절이나요?")["name"][0] == "김치.txt"
    assert frame.attrs["searched"] == 2
    assert {"page": "Int64", "score": "Float64", "text": "string"}.items() <= frame.dtypes.astype(str).to_dict().items()


def test_ask(bench: Workbench, notes: FileCollection) -> None:
    """An answer rests on it, and cites."""
    answer = bench.ask("How much pressure?", model="scripted/m", files="notes")
    [cited] = answer.output[-1].content[0].annotations
    assert cited.title == "coffee.md, Espresso"
    assert notes.name == "notes"


def test_same_bytes(bench: Workbench, notes: FileCollection, folder: Path) -> None:
    """What is there with the same bytes isn't added again; a pattern and an address in quotes name the same file."""
    notes.add(str(folder / "*.md"), folder / "coffee.md", progress=False)
    assert len(bench.files()) == len(notes.files()) == 2
    bench.collection("more").add(folder / "coffee.md", progress=False)
    assert bench.collections()[["name", "files"]].to_numpy().tolist() == [["more", 1], ["notes", 2]]


def test_failures(bench: Workbench, folder: Path) -> None:
    """What can't be read is told of, with the reason; the rest is in."""
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    with pytest.warns(UserWarning, match=r"A file could not be processed\. broken\.pdf: ") as told:
        kept = bench.collection("notes").add(folder, progress=False)
    assert told[0].filename == __file__
    assert set(kept.files()["name"]) == {"coffee.md", "김치.txt"}
    assert bench.files(failed=True)["name"].tolist() == ["broken.pdf"]


def test_an_empty_file_among_others(bench: Workbench, folder: Path) -> None:
    """What is refused at once is told of, and keeps no other file out; a page that can't be fetched neither."""
    (folder / "__init__.py").touch()
    with pytest.warns(UserWarning, match=r"2 files could not be added\. '__init__\.py' is empty\.") as told:
        notes = bench.collection("notes").add(folder, "http://127.0.0.1:9/page", progress=False)
    assert sorted(notes.files()["name"]) == ["coffee.md", "김치.txt"]
    assert told[0].filename == __file__


def test_a_slip_makes_no_collection(bench: Workbench) -> None:
    """A source that matches nothing leaves no empty collection behind."""
    with pytest.raises(InvalidRequest, match="No file matches"):
        bench.collection("notes").add("nowhere/*.pdf")
    assert bench.collection_names() == []


def test_progress(bench: Workbench, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar shows how far it is."""
    bench.add_files(folder / "coffee.md")
    assert "files: " in capsys.readouterr().err


def test_remove(notes: FileCollection, bench: Workbench) -> None:
    """A file that is taken out is still a file; one that isn't in is named, with what is."""
    notes.remove("coffee.md")
    assert notes.files()["name"].tolist() == ["김치.txt"]
    assert len(bench.files()) == 2
    with pytest.raises(UnknownName, match=r"no file 'coffee\.md'"):
        notes.remove("coffee.md")


def test_delete(notes: FileCollection, bench: Workbench) -> None:
    """A deleted file is found no more; a deleted collection leaves its files."""
    bench.delete_file("coffee.md")
    assert notes.search("F-217", ranking="text").empty
    notes.delete()
    assert bench.collections().empty
    assert bench.files()["name"].tolist() == ["김치.txt"]


def test_a_text(bench: Workbench) -> None:
    """A text is added under a name."""
    kept = bench.collection("notes").add_text("rule.md", "# Rules\n\nNo fires at all.", progress=False)
    assert kept.search("fires")["text"][0].endswith("No fires at all.")


@pytest.mark.parametrize(
    ("source", "message"),
    [("nothing/*.pdf", "No file matches"), ("cofee.md", r"Did you mean '.*coffee.md'\?"), ("empty", "No file matches")],
)
def test_nothing_there(bench: Workbench, folder: Path, source: str, message: str) -> None:
    """A source that matches nothing is an error, with the nearest name."""
    (folder / "empty").mkdir()
    with pytest.raises(InvalidRequest, match=message):
        bench.collection("notes").add(folder / source, progress=False)


def test_unknown(bench: Workbench, notes: FileCollection) -> None:
    """A collection that isn't there is an error where it is searched, with the nearest name."""
    with pytest.raises(UnknownName, match=f"Did you mean '{notes.name}'"):
        bench.collection("note").search("anything")
    with pytest.raises(UnknownName, match=r"Did you mean 'coffee\.md'"):
        bench.retry_file("coffe.md")
