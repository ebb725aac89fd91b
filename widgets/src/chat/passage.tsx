// A passage where it stands: its file, its page, and the text around it.

import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useKernel } from "../shared/state";
import { Button } from "../shared/ui";
import { useChat } from "./context";
import { OutsideLink } from "./images";
import type { Passage } from "./types";

const ABOVE_PX = 60;

interface Surroundings {
  before: string;
  text: string;
  after: string;
  note: string;
}

interface Props {
  turn: string;
  n: number;
  onClose: () => void;
}

export function PassagePanel({ turn, n, onClose }: Props) {
  const { conversation } = useChat();
  const blocks = conversation.shown.find(({ id }) => id === turn)?.blocks ?? [];
  const passage = blocks.flatMap(({ found }) => found?.passages ?? []).find((each) => each.n === n);
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => dialog.current?.showModal(), []);
  if (!passage) return null;
  return (
    <dialog
      ref={dialog}
      class="ab-passage"
      aria-labelledby={title}
      onClose={onClose}
      onKeyDown={(event) => event.key === "Escape" && event.stopPropagation()}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="ab-passage-body">
        <div class="ab-row-of-buttons">
          <h5 id={title} class="ab-grow" dir="auto">
            [{n}] {passage.title}
          </h5>
          <Button onClick={() => dialog.current?.close()}>Close</Button>
        </div>
        {passage.url && <OutsideLink url={passage.url} label={passage.url} />}
        <Text turn={turn} passage={passage} />
      </div>
    </dialog>
  );
}

/** The passage as the turn has it, and what is around it once the kernel has told. */
function Text({ turn, passage }: { turn: string; passage: Passage }) {
  const kernel = useKernel();
  const [found, setFound] = useState<Surroundings>({ before: "", text: passage.text, after: "", note: "" });
  const box = useRef<HTMLElement>(null);
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    if (kernel.status === "none") return;
    kernel.request<Surroundings>("passage", { turn, number: passage.n }).then(setFound, (error: Error) => {
      setFound((known) => ({ ...known, note: error.message }));
    });
  }, [kernel, turn, passage.n]);
  useLayoutEffect(() => {
    if (box.current && mark.current && found.before) box.current.scrollTop = mark.current.offsetTop - ABOVE_PX;
  }, [found]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <section ref={box} class="ab-passage-text" tabIndex={0} aria-label="Passage" dir="auto">
        {found.before}
        <mark ref={mark}>{found.text}</mark>
        {found.after}
      </section>
      {found.note && <p class="ab-hint">{found.note}</p>}
    </>
  );
}
