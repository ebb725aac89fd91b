// What file_search looks into: a collection, the files in it, and a box to add some.

import { useState } from "preact/hooks";
import type { Requests } from "../shared/requests";
import { useTrait } from "../shared/state";
import { Button, Notice, Spinner } from "../shared/ui";
import { useControl, useEditing, useTies } from "./context";
import { Field } from "./field";
import type { Collection, StoredFile } from "./types";

export function Files({ requests }: { requests: Requests }) {
  return (
    <Field
      control="store"
      label="Files"
      hint="The collection that file_search looks into. Files are added to it at once, one a line."
    >
      <Store />
      <Inside />
      <Adding requests={requests} />
    </Field>
  );
}

function Store() {
  const ties = useTies("store");
  const collections = useTrait<Collection[]>("collections");
  const { value, change, leave } = useControl("store");
  const isKnown = value === "" || collections.some((each) => each.id === value);
  return (
    <select {...ties} value={value} onChange={(event) => change(event.currentTarget.value, true)} onBlur={leave}>
      <option value="">none</option>
      {!isKnown && <option value={value}>{value}</option>}
      {collections.map((each) => (
        <option key={each.id} value={each.id}>
          {`${each.name} · ${each.files} ${each.files === 1 ? "file" : "files"}`}
        </option>
      ))}
    </select>
  );
}

function Inside() {
  const files = useTrait<StoredFile[]>("files");
  if (files.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <ul class="ab-files" aria-label="Files in the collection" tabIndex={0}>
      {files.map((each) => (
        <li key={each.id}>
          {each.name} {each.status !== "completed" && <span class="ab-muted">{each.error || each.status}</span>}
        </li>
      ))}
    </ul>
  );
}

function Adding({ requests }: { requests: Requests }) {
  const { id } = useEditing();
  const { running, error } = useTrait<{ running?: boolean; error?: string }>("adding");
  const [text, setText] = useState("");
  const add = async () => {
    if (await requests.run("add_files", { text })) setText("");
  };
  return (
    <>
      <div class="ab-adding">
        <textarea
          id={`${id}-add`}
          class="ab-mono"
          aria-label="Files to add"
          placeholder="paths or addresses"
          rows={Math.min(6, text.split("\n").length)}
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Button disabled={running === true || text.trim() === ""} onClick={() => void add()}>
          Add files
        </Button>
      </div>
      {running && (
        <p class="ab-what">
          <Spinner label="" /> The files are being read.
        </p>
      )}
      {error && <Notice kind="error">{error}</Notice>}
    </>
  );
}
