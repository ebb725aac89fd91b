"""The tools that assistants have here: what is found in files, what code prints and makes, and pictures in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.retrieval.shelves import WordEmbedder
from tests.runner.assistants.settled import settle
from tests.runner.assistants.threads import Talked, names, talking
from tests.runner.fakes import SteppedProvider, wants

from agentbench.auth.principal import KERNEL
from agentbench.config.retrieval import RetrievalSettings
from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.content import (
    FileCitation,
    FilePath,
    ImageFile,
    ImageFilePart,
    ImageUrl,
    ImageUrlPart,
    TextPart,
)
from agentbench.protocol.assistants.objects import Attachment
from agentbench.protocol.assistants.requests import ChangeAssistant, CreateMessage, PlainText
from agentbench.protocol.assistants.tools import (
    CodeInterpreter,
    FileSearch,
    FileSearchOptions,
    NamedChoice,
    RankingOptions,
)
from agentbench.protocol.content import InputImage
from agentbench.protocol.items import FunctionCallOutput, Message
from agentbench.retrieval.library import Library
from agentbench.runner.assistants.answering import PASSAGES
from agentbench.runner.grounding import Grounding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SEARCH: dict[str, Any] = {"tools": (FileSearch(),)}
PLAIN = RetrievalSettings(wait_for_processing=10, rewrite=False)


async def with_words(thread: Talked) -> AsyncIterator[Library]:
    """Give a thread's runner a library that counts words."""
    runner, words = thread.runner, WordEmbedder()
    runner.use(replace(runner.catalog, retrieval=PLAIN))
    library = Library(runner.database, embedder=lambda _: words, settings=lambda: runner.catalog.retrieval)
    runner.library = library
    runner.grounding = Grounding(lambda: runner.catalog, library, runner.embeddings, runner.grounding._writer)
    yield library
    await library.aclose()


async def test_file_search(database: Database) -> None:
    """A run searches its assistant's files first: a step shows what it found, and the answer cites it."""
    provider = SteppedProvider(["They nest high [1]."])
    async with talking(database, provider=provider, **SEARCH) as thread:
        async for _ in with_words(thread):
            file = await thread.desk.upload(
                KERNEL, "birds.txt", b"What falcons do: they nest high.", purpose="assistants"
            )
            resources = {"file_search": {"vector_stores": [{"file_ids": [file.id]}]}}
            await thread.desk.change(KERNEL, thread.assistant, ChangeAssistant(tool_resources=resources))
            await thread.say("What do falcons do?")
            run = await thread.start()
            told = await thread.told(run)
            step = [f"run.step.{each}" for each in ("created", "in_progress", "delta", "completed")]
            assert names(told)[3:7] == step
            searched, _ = await thread.steps(run)
            (call,) = searched.step_details["tool_calls"]
            (found,) = call["file_search"]["results"]
            assert (found["file_id"], found["file_name"], "content" in found) == (file.id, "birds.txt", False)
            whole = await thread.desk.step(KERNEL, thread.thread, run.id, searched.id, include=[PASSAGES])
            assert "falcons" in whole.step_details["tool_calls"][0]["file_search"]["results"][0]["content"][0]["text"]
            (part,) = (await thread.messages())[-1].content
            assert isinstance(part, TextPart)
            (cited,) = part.text.annotations
            assert isinstance(cited, FileCitation)
            assert (cited.text, cited.file_citation.file_id) == ("[1]", file.id)
            await thread.ended(tool_choice="none")
    assert "nest high" in provider.requests[0].input[-1].text  # type: ignore[union-attr]


async def test_search_options(database: Database) -> None:
    """A tool's options say how many passages a run finds at most, and how similar they are, whose steps tell that."""
    texts = [b"What falcons do?", b"What falcons do: they nest high.", b"Owls hunt mice."]
    async with talking(database, provider=SteppedProvider(*[["ok"]] * 3)) as thread:
        async for _ in with_words(thread):
            files = [
                (await thread.desk.upload(KERNEL, f"{n}.txt", text, purpose="assistants")).id
                for n, text in enumerate(texts)
            ]
            resources = {"file_search": {"vector_stores": [{"file_ids": files}]}}
            tools = (FileSearch(),)
            change = ChangeAssistant(tools=tools, tool_resources=resources)
            await thread.desk.change(KERNEL, thread.assistant, change)
            await thread.say("What falcons do?")
            least = FileSearchOptions(ranking_options=RankingOptions(score_threshold=0.9))
            found = [await _found(thread, each) for each in (None, FileSearchOptions(max_num_results=1), least)]
    assert [len(each) for each in found] == [3, 1, 1]
    assert found[2][0]["score"] >= 0.9


async def _found(thread: Talked, options: FileSearchOptions | None) -> list[dict[str, Any]]:
    """Return what a run with these options finds."""
    run = await thread.ended(tools=(FileSearch(file_search=options),))
    call = (await thread.steps(run))[0].step_details["tool_calls"][0]["file_search"]
    wanted = None if options is None else options.ranking_options
    assert call["ranking_options"]["score_threshold"] == (0.0 if wanted is None else wanted.score_threshold)
    found: list[dict[str, Any]] = call["results"]
    return found


async def test_code(database: Database) -> None:
    """Code runs here: its step shows what it printed, and the model reads that; what it made is in the message."""
    code = "print(6 * 7); open('a.png', 'wb').write(b'\\x89PNG'); open('b.csv', 'w').write('x')"
    provider = SteppedProvider([wants("code_interpreter", code=code)], ["See [b](sandbox:/mnt/data/b.csv)."])
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        run = await thread.ended(tools=(CodeInterpreter(),))
        called, _ = await thread.steps(run)
        (call,) = called.step_details["tool_calls"]
        logs, image = call["code_interpreter"]["outputs"]
        assert call["code_interpreter"]["input"] == code
        assert (logs["logs"].splitlines()[0], called.status) == ("42", "completed")
        message = (await thread.messages())[-1]
        picture, text = message.content
        assert isinstance(picture, ImageFilePart)
        assert isinstance(text, TextPart)
        assert picture.image_file.file_id == image["image"]["file_id"]
        (path,) = text.text.annotations
        assert isinstance(path, FilePath)
        assert (await thread.desk.file(KERNEL, path.file_path.file_id)).filename == "b.csv"
        assert [each.file_id for each in message.attachments or ()] == [
            image["image"]["file_id"],
            path.file_path.file_id,
        ]
    output = provider.requests[1].input[-1]
    assert isinstance(output, FunctionCallOutput)
    assert "42" in output.output
    assert [tool.name for tool in provider.requests[0].tools] == ["code_interpreter"]


async def test_code_reads_files(database: Database) -> None:
    """Code reads the files of a message that is for it; it may be forced, and shows alone what nobody mentions."""
    code = "import shutil; shutil.copy('table.csv', 'copy.png'); print(open('table.csv').read())"
    provider = SteppedProvider([wants("code_interpreter", code=code)], [lambda _: None])
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        file = await thread.desk.upload(KERNEL, "table.csv", b"a,b\n1,2\n", purpose="assistants")
        attachment = Attachment(file_id=file.id, tools=(CodeInterpreter(),))
        message = CreateMessage(role="user", content="Read it.", attachments=(attachment,))
        choice = NamedChoice(type="code_interpreter")
        run = await thread.ended(tools=(CodeInterpreter(),), additional_messages=(message,), tool_choice=choice)
        assert run.status == "completed"
        (part,) = (await thread.messages())[-1].content
        assert isinstance(part, ImageFilePart)
    output = provider.requests[1].input[-1]
    assert isinstance(output, FunctionCallOutput)
    assert "1,2" in output.output
    assert "table.csv" in (provider.requests[0].tools[0].description or "")
    assert "Attached files: table.csv" in provider.requests[0].input[-1].text  # type: ignore[union-attr]


async def test_files_of_one_name(database: Database) -> None:
    """Of files that have one name code reads each: the second gets a number, and the model is told."""
    code = "print(open('table.csv').read(), open('table-2.csv').read())"
    provider = SteppedProvider([wants("code_interpreter", code=code)], ["ok"])
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        texts = (b"first", b"second")
        files = [(await thread.desk.upload(KERNEL, "table.csv", text, purpose="assistants")).id for text in texts]
        change = ChangeAssistant(tool_resources={"code_interpreter": {"file_ids": files}})
        await thread.desk.change(KERNEL, thread.assistant, change)
        await thread.ended(tools=(CodeInterpreter(),))
    output = provider.requests[1].input[-1]
    assert isinstance(output, FunctionCallOutput)
    assert "first second" in output.output
    assert "table.csv, table-2.csv" in (provider.requests[0].tools[0].description or "")


async def test_code_makes_too_much(database: Database) -> None:
    """What can't be stored is told to the model; what the code printed stays."""
    provider = SteppedProvider(
        [wants("code_interpreter", code="print(42); _ = open('a.csv', 'w').write('x' * 99)")], ["ok"]
    )
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        thread.runner.use(replace(thread.runner.catalog, retrieval=RetrievalSettings(largest_file=9)))
        run = await thread.ended(tools=(CodeInterpreter(),))
        called, _ = await thread.steps(run)
    (logs,) = called.step_details["tool_calls"][0]["code_interpreter"]["outputs"]
    assert logs["logs"].strip() == "42"
    output = provider.requests[1].input[-1]
    assert isinstance(output, FunctionCallOutput)
    assert "a.csv was not kept" in output.output


async def test_code_is_off(database: Database) -> None:
    """A run with code is refused while the operator hasn't turned it on."""
    async with talking(database, ["ok"]) as thread:
        with pytest.raises(InvalidRequest, match="codeInterpreter: true"):
            await thread.start(tools=(CodeInterpreter(),))


async def test_cancelling_code(database: Database) -> None:
    """Code that runs on and on ends with its run."""
    provider = SteppedProvider([wants("code_interpreter", code="while True: pass")])
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        run = await thread.start(tools=(CodeInterpreter(),))
        async for batch in thread.desk.follow(run.id):
            if any(event.name == "thread.run.step.delta" for event in batch):
                await thread.desk.cancel(KERNEL, thread.thread, run.id)
        assert (await thread.run(run)).status == "cancelled"
        assert [step.status for step in await thread.steps(run)] == ["cancelled"]


async def test_pictures(database: Database) -> None:
    """The model sees a message's pictures, stored ones and those of an address; one that is gone is said to be."""
    provider = SteppedProvider(["ok"])
    async with talking(database, provider=provider) as thread:
        kept, gone = [
            (await thread.desk.upload(KERNEL, f"{name}.png", PNG, purpose="vision")).id for name in ("kept", "gone")
        ]
        parts = (
            PlainText(text="Look:"),
            *(ImageFilePart(image_file=ImageFile(file_id=each)) for each in (kept, gone)),
            ImageUrlPart(image_url=ImageUrl(url="https://x.test/a.png", detail="low")),
        )
        await thread.desk.add_message(KERNEL, thread.thread, CreateMessage(role="user", content=parts))
        await thread.desk.delete_file(KERNEL, gone)
        await thread.ended()
    item = provider.requests[0].input[-1]
    assert isinstance(item, Message)
    pictures = [part for part in item.content if isinstance(part, InputImage)]
    assert pictures[0].image_url is not None
    assert pictures[0].image_url.startswith("data:image/png;base64,")
    assert pictures[1] == InputImage(image_url="https://x.test/a.png", detail="low")
    assert "isn't there any more" in item.text
