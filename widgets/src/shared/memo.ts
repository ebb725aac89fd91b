// A component that is drawn again only when a property has changed.

import { Component, type ComponentType, createElement, type FunctionComponent } from "preact";

export function memo<P extends object>(Inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P) {
      const now = this.props as Record<string, unknown>;
      const then = next as Record<string, unknown>;
      return [...new Set([...Object.keys(now), ...Object.keys(then)])].some((key) => now[key] !== then[key]);
    }

    override render() {
      return createElement(Inner, this.props as P);
    }
  };
}
