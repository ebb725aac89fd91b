// Picks collections and files of the library for the answers to rest on.

import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { bytes } from "../shared/format";
import { Button, Spinner } from "../shared/ui";
import { useAsking } from "./asking";
import type { ChatDocument, Library } from "./types";

const MANY = 8;

interface Entry {
  kind: "collection" | "file";
  id: string;
  name: string;
  about: string;
}

interface PickerProps {
  documents: readonly ChatDocument[];
  onClose: () => void;
}

interface Picking {
  isOpen: boolean;
  toggle: () => void;
  close: () => void;
  button: RefObject<HTMLButtonElement | null>;
}

/** Whether the picker is open; closed, the keyboard is back on its button. */
export function usePicking(): Picking {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return { isOpen, toggle: () => setOpen(!isOpen), close, button };
}

export function PickerButton({ isOpen, toggle, button }: Picking) {
  return (
    <button
      ref={button}
      type="button"
      class="ab-button"
      aria-expanded={isOpen}
      title="Pick files and collections"
      onClick={toggle}
    >
      Files
    </button>
  );
}

export function Picker({ documents, onClose }: PickerProps) {
  const { ask, trouble, waiting } = useAsking();
  const [library, setLibrary] = useState<Library | null>(null);
  const [words, setWords] = useState("");
  const [refused, setRefused] = useState(0);
  const isAsked = useRef(false);
  if (!isAsked.current) {
    isAsked.current = true;
    ask<Library>("library").then((found) => setLibrary(found ?? { collections: [], files: [] }));
  }
  const pick = async (entry: Entry, picked: boolean) => {
    const done = await ask("pick", { kind: entry.kind, name: entry.id, picked });
    if (done === undefined) setRefused((count) => count + 1); // the box is drawn as it was
  };
  const [collections, files] = library ? entries(library, words) : [[], []];
  const count = (library?.collections.length ?? 0) + (library?.files.length ?? 0);
  const boxes = { documents, onPick: pick };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: it holds two fieldsets
    <div class="ab-choices" role="group" aria-label="Files and collections" onKeyDown={onKeyDown}>
      <div class="ab-row-of-buttons">
        {count > MANY ? (
          <Filter value={words} onInput={setWords} />
        ) : (
          <span class="ab-grow ab-muted">Answers rest on what is ticked.</span>
        )}
        <Button onClick={onClose}>Done</Button>
      </div>
      {library === null && !trouble && <Spinner label="Looking" />}
      {library && count === 0 && (
        <p class="ab-hint">There are no files yet. Drop documents here, or fill a collection with %agent know.</p>
      )}
      <div class="ab-choices-lists" key={refused}>
        <Boxes legend="Collections" entries={collections} {...boxes} />
        <Boxes legend="Recent files" entries={files} {...boxes} />
      </div>
      {waiting}
      {trouble}
    </div>
  );
}

function Filter({ value, onInput }: { value: string; onInput: (value: string) => void }) {
  return (
    <input
      class="ab-grow"
      type="search"
      aria-label="Filter by name"
      placeholder="Filter by name"
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

interface BoxesProps {
  legend: string;
  entries: readonly Entry[];
  documents: readonly ChatDocument[];
  onPick: (entry: Entry, picked: boolean) => void;
}

function Boxes({ legend, entries: shown, documents, onPick }: BoxesProps) {
  if (shown.length === 0) return null;
  return (
    <fieldset>
      <legend class="ab-label">{legend}</legend>
      {shown.map((entry) => (
        <label key={entry.id} class="ab-choice">
          <input
            type="checkbox"
            checked={documents.some(({ kind, id }) => kind === entry.kind && id === entry.id)}
            onChange={(event) => onPick(entry, event.currentTarget.checked)}
          />
          <span class="ab-grow" dir="auto">
            {entry.name}
          </span>
          <span class="ab-muted">{entry.about}</span>
        </label>
      ))}
    </fieldset>
  );
}

function entries(library: Library, words: string): [Entry[], Entry[]] {
  const wanted = words.trim().toLowerCase();
  const fits = ({ name }: Entry) => name.toLowerCase().includes(wanted);
  const collections = library.collections.map(({ id, name, files }) => {
    return { kind: "collection", id, name, about: files === 1 ? "1 file" : `${files} files` } as const;
  });
  const files = library.files.map(({ id, name, size, status }) => {
    return { kind: "file", id, name, about: status === "completed" ? bytes(size) : status } as const;
  });
  return [collections.filter(fits), files.filter(fits)];
}
