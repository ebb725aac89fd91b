// From a component to what anywidget loads: the root element, its keyboard, its errors, its record.

import { Component, type ComponentChildren, type FunctionComponent, render } from "preact";
import { Kernel } from "./kernel";
import { guardKeys } from "./keyboard";
import type { Model } from "./model";
import { keepRecords } from "./records";
import { useStatus, ViewContext } from "./state";
import { Notice } from "./ui";

interface RenderProps {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** Return the module that anywidget expects, for a component that finds its model by `useView`. */
export function widget(App: FunctionComponent, name: string) {
  return {
    render({ model, el, signal }: RenderProps) {
      const ended = new AbortController();
      signal?.addEventListener("abort", () => ended.abort());
      el.classList.add("ab-root", `ab-${name}`);
      guardKeys(el, ended.signal);
      const kernel = new Kernel(model, ended.signal);
      keepRecords(el, model, kernel, ended.signal);
      render(
        <ViewContext.Provider value={{ model, kernel }}>
          <Boundary>
            <Connection />
            <App />
          </Boundary>
        </ViewContext.Provider>,
        el,
      );
      return () => {
        ended.abort();
        render(null, el);
      };
    },
  };
}

function Connection() {
  const status = useStatus();
  if (status !== "waiting" && status !== "lost") return null;
  return (
    <Notice kind="info">
      {status === "lost"
        ? "The kernel has ended. Run the cell again for a live view; what came is here."
        : "The kernel hasn't answered yet. It is busy, or it has ended; then run the cell again for a live view."}
    </Notice>
  );
}

/** Shows what broke in place of an empty cell. */
class Boundary extends Component<{ children: ComponentChildren }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static override getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Notice kind="error">
        This view broke: {error.message}. The kernel is fine.{" "}
        <button type="button" class="ab-button" onClick={() => this.setState({ error: null })}>
          Draw it again
        </button>
      </Notice>
    );
  }
}
