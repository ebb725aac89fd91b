// A list of rows of one height, of which only those in view are in the page.

import { type ComponentChildren, createRef } from "preact";
import { useEffect, useId, useLayoutEffect, useState } from "preact/hooks";
import { moved } from "./keyboard";

const SPARE_ROWS = 8;

interface Props {
  count: number;
  rowHeight: number;
  height: number;
  /** The row that is chosen; it is scrolled into view when it changes. */
  chosen?: number | null;
  label: string;
  row: (index: number) => ComponentChildren;
  onChoose?: (index: number) => void;
}

/** A listbox: arrow keys, page keys, Home and End choose a row. */
export function VirtualList({ count, rowHeight, height, chosen = null, label, row, onChoose }: Props) {
  const id = useId();
  const [top, setTop] = useState(0);
  const box = useState(() => createRef<HTMLDivElement>())[0];
  useLayoutEffect(() => reveal(box.current, chosen, rowHeight), [box, chosen, rowHeight]);
  useEffect(() => setTop(box.current?.scrollTop ?? 0), [box, count]);
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE_ROWS);
  const onKeyDown = (event: KeyboardEvent) => {
    const target = moved(event.key, chosen ?? -1, count, Math.floor(height / rowHeight));
    if (target === null) return;
    event.preventDefault();
    onChoose?.(target);
  };
  return (
    <div
      ref={box}
      class="ab-list"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={chosen === null ? undefined : `${id}-${chosen}`}
      style={{ height: `${Math.min(height, count * rowHeight + 2)}px` }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div style={{ height: `${count * rowHeight}px`, position: "relative" }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, offset) => {
          const index = first + offset;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox has the keys
            <div
              key={index}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              aria-setsize={count}
              aria-posinset={index + 1}
              class="ab-row"
              style={{ top: `${index * rowHeight}px`, height: `${rowHeight}px` }}
              onClick={() => onChoose?.(index)}
            >
              {row(index)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function reveal(box: HTMLElement | null, index: number | null, rowHeight: number) {
  if (!box || index === null) return;
  const top = index * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + rowHeight - box.clientHeight;
}
