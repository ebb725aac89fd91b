// What a view knows of its model: anywidget's, and in an exported page a stand-in of ours.

import type { AnyModel as AnywidgetModel } from "@anywidget/types";

export type Traits = Record<string, unknown>;

export interface Model extends Omit<AnywidgetModel<Traits>, "widget_manager"> {
  widget_manager?: unknown;
  /** True in an exported page, where no kernel ever answers. */
  exported?: boolean;
}
