// What every control of the form needs: what it holds, what is wrong with it, and how to change it.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Typing, useTyping } from "../shared/typing";
import type { Control, Form } from "./types";

export interface Editing {
  /** Begins the ids of the controls of this view. */
  id: string;
  form: Form;
  pending: readonly string[];
  errors: Readonly<Record<string, string>>;
  put: (control: Control, value: unknown) => Promise<void>;
}

export const EditingContext = createContext<Editing | null>(null);

export function useEditing(): Editing {
  const editing = useContext(EditingContext);
  if (!editing) throw new Error("outside of a form");
  return editing;
}

/** A control's value while somebody types. */
export function useControl<C extends Control>(control: C): Typing<Form[C]> & { error: string } {
  const { form, pending, errors, put } = useEditing();
  const error = errors[control] ?? "";
  const standing = { pending: pending.includes(control), error };
  return { ...useTyping<Form[C]>(standing, form[control], (value) => put(control, value)), error };
}

/** The attributes that tie a control to its label, its hint and its error. */
export function useTies(control: Control) {
  const { id, errors } = useEditing();
  return {
    id: `${id}-${control}`,
    "aria-describedby": `${id}-${control}-hint ${id}-${control}-error`,
    "aria-invalid": Boolean(errors[control]),
  };
}
