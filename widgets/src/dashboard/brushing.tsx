// The brush over the bars: a pointer draws and moves it, and so do the keys of a slider at each end.

import { useRef } from "preact/hooks";
import { type Drag, dragged, grabbed, keyed, type Steps, type Thumb } from "./brush";

const NEAR_PX = 7;

interface Props {
  steps: Steps | null;
  total: number;
  text: (place: number) => string;
  onHover: (step: number | null) => void;
  /** `settled` when the hand has left it. */
  onSteps: (steps: Steps | null, settled: boolean) => void;
}

export function Brush(props: Props) {
  const { steps, total, onHover } = props;
  const { box, ...pointer } = useDrag(props);
  const now = steps ?? ([0, total] as const);
  const ends = [(now[0] / total) * 100, (now[1] / total) * 100] as const;
  return (
    <div ref={box} class="ab-brush" {...pointer} onPointerLeave={() => onHover(null)}>
      {steps && <div class="ab-veil" style={{ left: 0, width: `${ends[0]}%` }} />}
      {steps && <div class="ab-veil" style={{ left: `${ends[1]}%`, right: 0 }} />}
      <End {...props} thumb="start" now={now} place={ends[0]} />
      <End {...props} thumb="end" now={now} place={ends[1]} />
    </div>
  );
}

function useDrag({ steps, total, onHover, onSteps }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const now = steps ?? ([0, total] as const);
  const where = (event: PointerEvent) => {
    const { left, width } = (box.current as HTMLElement).getBoundingClientRect();
    return { place: ((event.clientX - left) / width) * total, near: (NEAR_PX / width) * total };
  };
  return {
    box,
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      const { place, near } = where(event);
      drag.current = grabbed(place, steps, near);
      box.current?.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const { place } = where(event);
      onHover(Math.max(0, Math.min(total - 1, Math.floor(place))));
      if (drag.current) onSteps(dragged(drag.current, place, now, total), false);
    },
    onPointerUp: (event: PointerEvent) => {
      const held = drag.current;
      drag.current = null;
      if (held) onSteps(dragged(held, where(event).place, now, total), true);
    },
    onPointerCancel: () => {
      if (drag.current) onSteps(steps, true);
      drag.current = null;
    },
  };
}

interface EndProps extends Props {
  thumb: Thumb;
  now: Steps;
  place: number;
}

function End({ steps, total, text, onSteps, thumb, now, place }: EndProps) {
  const step = now[thumb === "start" ? 0 : 1];
  const onKeyDown = (event: KeyboardEvent) => {
    const clears = event.key === "Escape";
    const found = clears ? null : keyed(event.key, event.shiftKey, thumb, now, total);
    if (!found && !clears) return;
    event.preventDefault();
    onSteps(found, true);
  };
  return (
    <div
      class={steps ? "ab-thumb ab-thumb-set" : "ab-thumb"}
      style={{ left: `${place}%` }}
      role="slider"
      tabIndex={0}
      aria-label={thumb === "start" ? "Start of the range" : "End of the range"}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={step}
      aria-valuetext={text(step)}
      onKeyDown={onKeyDown}
    />
  );
}
