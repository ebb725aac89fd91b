// Traits of the model as state of a component.

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import type { Kernel, Status } from "./kernel";
import type { Model } from "./model";

export interface View {
  model: Model;
  kernel: Kernel;
}

export const ViewContext = createContext<View | null>(null);

export function useView(): View {
  const view = useContext(ViewContext);
  if (!view) throw new Error("outside of a widget");
  return view;
}

export const useKernel = (): Kernel => useView().kernel;

/** A trait's value; the component is drawn again when the kernel or another view changes it. */
export function useTrait<T>(name: string): T {
  const { model } = useView();
  const [value, setValue] = useState(() => model.get(name) as T);
  useEffect(() => {
    const update = () => setValue(() => model.get(name) as T);
    update();
    model.on(`change:${name}`, update);
    return () => model.off(`change:${name}`, update);
  }, [model, name]);
  return value;
}

/** How to change a trait, for the kernel and every view. */
export function useSetTrait<T>(name: string): (value: T) => void {
  const { model } = useView();
  return useCallback(
    (value: T) => {
      model.set(name, value);
      model.save_changes();
    },
    [model, name],
  );
}

/** Call a handler at each message of that kind from the kernel. */
export function useMessage(event: string, handler: (message: never, buffers: DataView[]) => void) {
  const kernel = useKernel();
  useEffect(
    () => kernel.on(event, handler as (message: object, buffers: DataView[]) => void),
    [kernel, event, handler],
  );
}

export function useStatus(): Status {
  const kernel = useKernel();
  const [status, setStatus] = useState(kernel.status);
  useEffect(() => {
    setStatus(kernel.status);
    return kernel.onStatus(() => setStatus(kernel.status));
  }, [kernel]);
  return status;
}
