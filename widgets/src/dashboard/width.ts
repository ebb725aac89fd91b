// How wide an element is, as it changes: charts are drawn in pixels, so that their text isn't stretched.

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export function useWidth(box: RefObject<HTMLElement | null>, first = 600): number {
  const [width, setWidth] = useState(first);
  useEffect(() => {
    if (!box.current || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(([entry]) => {
      const found = Math.floor(entry?.contentRect.width ?? 0);
      if (found > 0) setWidth(found); // a notebook's cell that is off screen has none
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
