// Citations in an answer's text: the numbers of its passages become buttons that show them.

import { type ComponentChildren, createContext } from "preact";
import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import { useChat } from "./context";
import { TurnId } from "./picture";
import type { Passage } from "./types";

const MARK = /\[([0-9]{1,4}(?:\s*,\s*[0-9]{1,4})*)\]/g;
const NOT_IN = "a, button, code, pre";

/** The passages that the turn's answer may cite. */
export const Passages = createContext<readonly Passage[]>([]);

export function Cited({ children }: { children: ComponentChildren }) {
  const { showPassage } = useChat();
  const turn = useContext(TurnId);
  const passages = useContext(Passages);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current && passages.length > 0) markCitations(box.current, passages);
  });
  const onClick = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>(".ab-cite");
    if (button) showPassage(turn, Number(button.dataset.n));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears of the buttons in it
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys click buttons
    <div ref={box} class="ab-text" onClick={onClick}>
      {children}
    </div>
  );
}

/** Put buttons in the place of numbers that passages have; code and links stay as they are. */
export function markCitations(box: HTMLElement, passages: readonly Passage[]) {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (!text.data.includes("[") || text.parentElement?.closest(NOT_IN)) continue;
    const parts = partsOf(text.data, passages);
    if (parts.length > 1) text.replaceWith(...parts);
  }
}

function partsOf(text: string, passages: readonly Passage[]): (string | HTMLElement)[] {
  const parts: (string | HTMLElement)[] = [];
  let end = 0;
  for (const mark of text.matchAll(MARK)) {
    const isOne = /^[0-9]+$/.test(mark[1] ?? "");
    for (const number of (mark[1] ?? "").matchAll(/[0-9]+/g)) {
      const passage = passages.find(({ n }) => `${n}` === number[0]);
      if (!passage) continue;
      const start = mark.index + (isOne ? 0 : 1 + number.index);
      const stop = isOne ? start + mark[0].length : start + number[0].length;
      parts.push(text.slice(end, start), button(passage, text.slice(start, stop)));
      end = stop;
    }
  }
  return [...parts, text.slice(end)];
}

function button({ n, title }: Passage, words: string): HTMLElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "ab-cite";
  made.textContent = words;
  made.title = title;
  made.dataset.n = `${n}`;
  made.setAttribute("aria-label", `Source ${n}: ${title}`);
  return made;
}

/** A passage by its number and where it is from; it shows the passage. */
export function PassageButton({ turn, n, title }: { turn: string; n: number; title: string }) {
  const { showPassage } = useChat();
  return (
    <button type="button" class="ab-passage-button" dir="auto" onClick={() => showPassage(turn, n)}>
      [{n}] {title}
    </button>
  );
}
