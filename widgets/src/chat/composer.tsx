// Where the next message is written. What was written stays until the kernel has taken it.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useSetTrait, useTrait } from "../shared/state";
import { Button } from "../shared/ui";
import { useAsking } from "./asking";
import { Chips } from "./chips";
import { useChat } from "./context";
import { useDocuments } from "./documents";
import { MessageField } from "./field";
import { dataUrls, isImage, Thumbnails } from "./images";
import { Picker, PickerButton, usePicking } from "./picker";
import type { Agent, ChatDocument } from "./types";

const SAVE_AFTER_MS = 600;

interface Props {
  field: RefObject<HTMLTextAreaElement | null>;
  onStop: () => void;
}

export function Composer({ field, onStop }: Props) {
  const { running, taking, following } = useChat();
  const [text, setText, save] = useDraft(field);
  const [images, setImages] = useState<string[]>([]);
  const { ask, attempt, busy, trouble, waiting, fail } = useAsking();
  const canSend = !running && !busy && (text.trim() !== "" || images.length > 0);
  const documents = useDocuments();
  const picking = usePicking();
  const add = async (files: File[]) => {
    const [pictures, others] = [files.filter(isImage), files.filter((file) => !isImage(file))];
    documents.add(others);
    const more = await attempt(() => dataUrls(pictures, images));
    if (more) setImages((now) => [...now, ...more]);
  };
  const remove = (document: ChatDocument) => {
    fail(""); // it may have been about this one
    documents.remove(document);
  };
  taking.current = add;
  const send = async () => {
    if (!canSend) return;
    following.current = true;
    const answer = await ask("send", { text, images });
    if (answer === undefined) return;
    // What was written while a busy kernel was waited for stays.
    if (field.current?.value === text) {
      setText("");
      save("");
    }
    setImages((now) => now.filter((each) => !images.includes(each)));
    field.current?.focus();
  };
  return (
    <div class="ab-composer">
      {trouble}
      {waiting}
      {documents.trouble}
      {picking.isOpen && <Picker documents={documents.all} onClose={picking.close} />}
      <Chips documents={documents.all} onRemove={remove} onRetry={documents.retry} />
      <Reading images={images} />
      <Thumbnails images={images} onRemove={(index) => setImages(images.filter((_, each) => each !== index))} />
      <div class="ab-compose">
        <MessageField
          label="Message"
          placeholder="Ask something"
          value={text}
          field={field}
          onInput={setText}
          onEnter={send}
          onBlur={() => save(text)}
        />
        <AttachButton onFiles={add} />
        <PickerButton {...picking} />
        <SendButton canSend={canSend} onSend={send} onStop={onStop} />
      </div>
    </div>
  );
}

/** Sends, or stops the answer that is coming. */
function SendButton({ canSend, onSend, onStop }: { canSend: boolean; onSend: () => void; onStop: () => void }) {
  const { running } = useChat();
  if (running) {
    return (
      <Button kind="danger" onClick={onStop}>
        Stop
      </Button>
    );
  }
  return (
    <Button kind="primary" disabled={!canSend} onClick={onSend}>
      Send
    </Button>
  );
}

/** The draft is a trait, so that a page that is loaded again and the other views have it. */
function useDraft(field: RefObject<HTMLTextAreaElement | null>) {
  const draft = useTrait<string>("draft") ?? "";
  const setDraft = useSetTrait<string>("draft");
  const [text, setText] = useState(draft);
  const saved = useRef(draft);
  const save = (value: string) => {
    if (value === saved.current) return;
    saved.current = value;
    setDraft(value);
  };
  useEffect(() => {
    if (draft === saved.current) return;
    saved.current = draft;
    // Another view's words don't replace those that are being written here.
    if (!field.current?.matches(":focus")) setText(draft);
  }, [draft, field]);
  useEffect(() => {
    const timer = setTimeout(() => save(text), SAVE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return [text, setText, save] as const;
}

function AttachButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const take = () => {
    const files = Array.from(input.current?.files ?? []);
    if (input.current) input.current.value = "";
    if (files.length > 0) onFiles(files);
  };
  return (
    <>
      <Button label="Add images and documents" onClick={() => input.current?.click()}>
        +
      </Button>
      <input ref={input} type="file" multiple hidden aria-label="Images and documents" onChange={take} />
    </>
  );
}

/** Says so where the model that answers isn't known to read images. */
function Reading({ images }: { images: readonly string[] }) {
  const agents = useTrait<Agent[]>("agents") ?? [];
  const chosen = useTrait<string>("agent");
  const model = useTrait<string>("model");
  const agent = agents.find((each) => each.id === chosen);
  if (images.length === 0 || model || !agent || agent.images) return null;
  return <p class="ab-hint">{agent.name} isn't known to read images.</p>;
}
