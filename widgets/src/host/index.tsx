// Shows widgets in an exported page: what anywidget does in a notebook, for a state that no kernel changes.
//
// The page holds the state and each bundle's source as JSON, and this script. Nothing is fetched.

import type { Model } from "../shared/model";
import "./host.css";

type Traits = Record<string, unknown>;
type Listener = (...values: unknown[]) => void;

interface Page {
  bundles: Record<string, string>;
  widgets: { bundle: string; traits: Traits; binary: string[] }[];
}

interface Bundle {
  default: { render(props: { model: Model; el: HTMLElement; signal: AbortSignal }): void };
}

/** A model whose views see each other's changes; requests are refused by the views themselves. */
function modelOf(traits: Traits): Model {
  const listeners = new Map<string, Set<Listener>>();
  const model = {
    exported: true,
    get: (name: string) => traits[name],
    set(name: string, value: unknown) {
      traits[name] = value;
      for (const listener of listeners.get(`change:${name}`) ?? []) listener();
    },
    save_changes() {},
    send() {},
    on(event: string, listener: Listener) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    off(event: string, listener: Listener) {
      listeners.get(event)?.delete(listener);
    },
  };
  return model as unknown as Model;
}

function bytesOf(text: string): DataView {
  return new DataView(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer);
}

async function show(page: Page, place: number, section: HTMLElement) {
  const widget = page.widgets[place];
  if (!widget) return;
  const source = page.bundles[widget.bundle] ?? "";
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const bundle = (await import(address)) as Bundle;
    for (const name of widget.binary) widget.traits[name] = bytesOf(String(widget.traits[name]));
    const el = document.createElement("div");
    section.querySelector(".agentbench-record")?.before(el);
    bundle.default.render({ model: modelOf(widget.traits), el, signal: new AbortController().signal });
    section.classList.add("live");
  } finally {
    URL.revokeObjectURL(address);
  }
}

const data = document.getElementById("agentbench-page");
const page = JSON.parse(data?.textContent ?? "{}") as Page;
document.querySelectorAll<HTMLElement>("section.agentbench-widget").forEach((section, place) => {
  void show(page, place, section);
});
