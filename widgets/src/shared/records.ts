// Each widget leaves a static record in an output below its own. It is hidden while the live view is there.
//
// The kernel renews the record by its display id, which a page forgets when it is loaded again: then this view writes
// it into the notebook itself, where the frontend lets it (JupyterLab does).

import type { Kernel } from "./kernel";
import type { Model } from "./model";

const LIVE = "ab-live";
const SETTLE_MS = 700;

interface OutputModel {
  data: Record<string, unknown>;
  setData(options: { data: Record<string, unknown> }): void;
}

interface Outputs {
  length: number;
  get(index: number): OutputModel;
}

interface Cells {
  length: number;
  get(index: number): { outputs?: Outputs };
}

export function keepRecords(el: HTMLElement, model: Model, kernel: Kernel, signal: AbortSignal) {
  const area = () => el.closest(".jp-OutputArea");
  const hide = requestAnimationFrame(() => area()?.classList.add(LIVE));
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(hide);
    area()?.classList.remove(LIVE);
  });
  let timer: ReturnType<typeof setTimeout>;
  const off = kernel.on("record", (message) => {
    clearTimeout(timer);
    timer = setTimeout(() => write(model, String(message.key), message.bundle as Record<string, string>), SETTLE_MS);
  });
  signal.addEventListener("abort", off);
}

function write(model: Model, key: string, bundle: Record<string, string>) {
  const output = outputOf(model, key);
  if (output && text(output.data["text/html"]) !== bundle["text/html"]) output.setData({ data: bundle });
}

/** Find the output that holds the record of that key, if this frontend lets us look. */
function outputOf(model: Model, key: string): OutputModel | null {
  const manager = model.widget_manager as { context?: { model?: { cells?: Cells } } } | undefined;
  const cells = manager?.context?.model?.cells;
  for (let place = 0; place < (cells?.length ?? 0); place++) {
    const outputs = cells?.get(place).outputs;
    for (let index = 0; index < (outputs?.length ?? 0); index++) {
      const output = outputs?.get(index);
      if (output && text(output.data["text/html"]).includes(key)) return output;
    }
  }
  return null;
}

const text = (value: unknown) => (Array.isArray(value) ? value.join("") : String(value ?? ""));
