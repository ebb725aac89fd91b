// The replay's controls, and the answer as it stood.

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { count, seconds } from "../shared/format";
import { Button, Select } from "../shared/ui";
import { type Block, Growing, type Replay, SPEEDS } from "./replay";
import type { Run } from "./run";

const MOST_TEXT = 20_000;

interface PlayerProps {
  run: Run;
  end: number;
  replay: Replay;
}

export function Player({ run, end, replay }: PlayerProps) {
  const { at, playing, speed } = replay;
  const where = at.index === null ? "the whole run" : `event ${Math.max(at.index, 0)} of ${run.events.length - 1}`;
  const when = run.measured && at.index !== null ? `${at.seconds.toFixed(3)} s, ` : "";
  return (
    <section class="ab-bar abi-player" aria-label="Replay">
      <Button kind="primary" onClick={replay.toggle}>
        {playing ? "Pause" : "Play"}
      </Button>
      <span class="abi-steps">
        <Button label="Previous event" onClick={() => replay.step(-1)}>
          ‹
        </Button>
        <Button label="Next event" onClick={() => replay.step(1)}>
          ›
        </Button>
      </span>
      <input
        type="range"
        class="ab-grow"
        aria-label="Time of the replay"
        aria-valuetext={`${when}${where}`}
        min={0}
        max={end}
        step={end / 1000}
        value={at.seconds}
        onInput={(event) => replay.seek(Number(event.currentTarget.value))}
      />
      <span class="ab-muted abi-where">
        {when}
        {where}
      </span>
      <Select
        label="Speed"
        value={String(speed)}
        options={SPEEDS.map((each) => ({ value: String(each), label: `${each}×` }))}
        onChange={(value) => replay.setSpeed(Number(value))}
      />
      <Button kind="quiet" disabled={at.index === null} onClick={replay.whole}>
        Whole run
      </Button>
    </section>
  );
}

interface AnswerProps {
  run: Run;
  at: number | null;
  title?: string | undefined;
  playing: boolean;
}

/** What had been said by an event: each item's text, reasoning or arguments. */
export function Answer({ run, at, title, playing }: AnswerProps) {
  const growing = useMemo(() => new Growing(run), [run]);
  const blocks = growing.at(at);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (playing && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  return (
    <div class="abi-answer">
      {title && <h4>{title}</h4>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section ref={box} class="abi-answer-text" tabIndex={0} aria-label="The answer so far">
        {blocks.map((block) => (
          <AnswerBlock key={block.lane.label} block={block} />
        ))}
        {blocks.length === 0 && <p class="ab-muted">Nothing has come yet.</p>}
      </section>
    </div>
  );
}

function AnswerBlock({ block: { lane, text, done } }: { block: Block }) {
  const left = text.length - MOST_TEXT;
  return (
    <div class={`abi-block abi-${lane.kind}`}>
      <div class="ab-muted">
        {lane.label} · {done ? `${count(text.length)} characters` : `${count(text.length)} so far`}
      </div>
      <div class={lane.kind === "message" ? "abi-words" : "abi-words ab-mono"}>
        {left > 0 && <span class="ab-muted">… {count(left)} characters before … </span>}
        {left > 0 ? text.slice(left) : text}
      </div>
    </div>
  );
}

export function lengthOf(run: Run, kind: string): number {
  const blocks = new Growing(run).at(null).filter((each) => each.lane.kind === kind);
  return blocks.reduce((sum, each) => sum + each.text.length, 0);
}

export const secondsOf = (run: Run, index: number | null): string =>
  index === null || !run.measured ? "–" : seconds(run.scale[index]);
