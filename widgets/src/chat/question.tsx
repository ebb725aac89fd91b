// A question, and the field in its place while it is edited: a changed question begins a branch.

import { useEffect, useRef, useState } from "preact/hooks";
import { Html } from "../shared/html";
import { Button, Hidden } from "../shared/ui";
import { useAsking } from "./asking";
import { useChat } from "./context";
import { DropZone, MessageField, withFiles } from "./field";
import { Images, Thumbnails } from "./images";
import type { Turn } from "./types";

export function QuestionView({ turn }: { turn: Turn }) {
  return (
    <div class="ab-question">
      <Hidden>You asked:</Hidden>
      {turn.question.html ? <Html html={turn.question.html} /> : <p dir="auto">{turn.question.text}</p>}
      <Images images={turn.question.images} label="Image in the question" />
    </div>
  );
}

interface Props {
  turn: Turn;
  onEnd: () => void;
}

export function QuestionEditor({ turn, onEnd }: Props) {
  const [message, setMessage] = useState({ text: turn.question.text, images: turn.question.images });
  const { focusComposer, following, running } = useChat();
  const { ask, attempt, busy, trouble, waiting } = useAsking();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(turn.question.text.length, turn.question.text.length);
  }, [turn]);
  const canSend = !busy && !running && (message.text.trim() !== "" || message.images.length > 0);
  const add = async (files: File[]) => {
    const more = await attempt(() => withFiles(message, files));
    if (more) setMessage(more);
  };
  const send = async () => {
    if (!canSend) return;
    following.current = true;
    if ((await ask("edit", { turn: turn.id, ...message })) === undefined) return;
    onEnd();
    focusComposer();
  };
  return (
    <DropZone class="ab-question ab-editing" onFiles={add}>
      <MessageField
        label="Edit the question"
        value={message.text}
        field={field}
        onInput={(text) => setMessage({ ...message, text })}
        onEnter={send}
        onEscape={onEnd}
      />
      <Thumbnails
        images={message.images}
        onRemove={(index) => setMessage({ ...message, images: message.images.filter((_, each) => each !== index) })}
      />
      <div class="ab-row-of-buttons">
        <span class="ab-muted ab-grow">This begins a branch; the answers so far are kept.</span>
        <Button onClick={onEnd}>Cancel</Button>
        <Button kind="primary" disabled={!canSend} onClick={send}>
          Ask again
        </Button>
      </div>
      {waiting}
      {trouble}
    </DropZone>
  );
}
