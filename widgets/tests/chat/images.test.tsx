import { act, cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { DropZone } from "../../src/chat/field";
import { dataUrls } from "../../src/chat/images";
import chat from "../../src/chat/index";
import { drawn, model } from "./setup";

afterEach(cleanup);

const file = (name: string, type: string, size = 3) => new File([new Uint8Array(size)], name, { type });

test("small images are taken as they are", async () => {
  expect(await dataUrls([file("a.png", "image/png")])).toEqual(["data:image/png;base64,AAAA"]);
});

test("another kind of file is refused by name, and it is said where documents go", async () => {
  const refused = dataUrls([file("a.png", "image/png"), file("notes.pdf", "application/pdf")]);
  await expect(refused).rejects.toThrow("notes.pdf isn't an image.");
  await expect(refused).rejects.toThrow("A question that is edited keeps its documents.");
});

test("more than fits through the connection is refused", async () => {
  const present = ["x".repeat(7_999_990)];
  await expect(dataUrls([file("a.png", "image/png", 30)], present)).rejects.toThrow("too large for one message");
});

test("a large image is made smaller", async () => {
  const drawn: number[] = [];
  vi.stubGlobal("createImageBitmap", async () => ({ width: 4096, height: 1024, close: () => {} }));
  const canvas = {
    getContext: () => ({ fillRect: () => {}, drawImage: (_: unknown, ...place: number[]) => drawn.push(...place) }),
    toBlob: (take: (blob: Blob) => void) => take(new Blob([new Uint8Array(3)], { type: "image/jpeg" })),
  };
  const create = vi.spyOn(document, "createElement").mockReturnValue(canvas as unknown as HTMLElement);
  const urls = await dataUrls([file("photo.png", "image/png", 300_000)]);
  create.mockRestore();
  vi.unstubAllGlobals();
  expect(urls).toEqual(["data:image/jpeg;base64,AAAA"]);
  expect(drawn).toEqual([0, 0, 2048, 512]);
});

function bring(type: "drop" | "paste", files: File[], types: string[]) {
  const data = { files, types };
  const event = new Event(type, { bubbles: true });
  fireEvent(screen.getByText("here"), Object.assign(event, { dataTransfer: data, clipboardData: data }));
}

test("what is no image inside is refused", async () => {
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("bad")));
  const refused = dataUrls([file("photo.png", "image/png", 300_000)]);
  await expect(refused).rejects.toThrow("photo.png couldn't be read as an image.");
  vi.unstubAllGlobals();
});

test("files that are dropped or pasted are taken, other things are left alone", () => {
  const take = vi.fn();
  render(
    <DropZone class="zone" onFiles={take}>
      here
    </DropZone>,
  );
  const image = file("a.png", "image/png");
  bring("drop", [image], ["Files"]);
  bring("paste", [image], ["Files"]);
  bring("paste", [], ["text/plain"]);
  bring("paste", [image], ["text/plain", "Files"]); // cells of a spreadsheet
  expect(take.mock.calls).toEqual([[[image]], [[image]]]);
});

test("an image that was added is shown, can be removed, and goes with the message", async () => {
  const fake = model({ agent: "b" });
  const el = document.body.appendChild(document.createElement("div"));
  act(() => {
    chat.render({ model: fake.model, el });
  });
  const input = el.querySelector<HTMLInputElement>("input[type=file]") as HTMLInputElement;
  Object.defineProperty(input, "files", { value: [file("a.png", "image/png"), file("b.gif", "image/gif")] });
  fireEvent.change(input);
  await drawn();
  expect(screen.getByText("Writer isn't known to read images.")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Remove image 1" }));
  await drawn();
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(fake.requests("send")[0]?.args).toEqual({ text: "", images: ["data:image/gif;base64,AAAA"] });
  el.remove();
});
