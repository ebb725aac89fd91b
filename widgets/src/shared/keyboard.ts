// JupyterLab's command mode takes unmodified keys from anything that isn't a text field: `b` on a focused button would
// insert a cell. Keys with Ctrl, Cmd or Alt stay the notebook's.

export function guardKeys(el: HTMLElement, signal: AbortSignal) {
  for (const type of ["keydown", "keypress", "keyup"] as const) {
    el.addEventListener(
      type,
      (event) => {
        if (!(event.ctrlKey || event.metaKey || event.altKey)) event.stopPropagation();
      },
      { signal },
    );
  }
}

/** Return the index that an arrow key, Home, End or a page key leads to; null for another key. */
export function moved(key: string, index: number, count: number, page = 10): number | null {
  const target: Record<string, number> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: count - 1,
  };
  const found = target[key];
  return found === undefined ? null : Math.max(0, Math.min(count - 1, found));
}
