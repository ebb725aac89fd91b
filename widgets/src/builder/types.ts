// What the kernel tells of assistants; `Form` in notebook/builder/form.py says what each control means.

export type Pair = [key: string, value: string];

export interface Form {
  name: string;
  description: string;
  model: string;
  instructions: string;
  temperature: string;
  top_p: string;
  file_search: boolean;
  code_interpreter: boolean;
  functions: string[];
  others: string;
  store: string;
  metadata: Pair[];
}

export type Control = keyof Form;

export interface Listed {
  id: string;
  name: string;
  own: boolean;
  pending: boolean;
}

export interface Answers {
  /** The `endpoint/model` that answers; empty if nobody does, as `why` says. */
  by: string;
  why: string;
}

export interface Described {
  name: string;
  description: string;
}

export interface Collection {
  id: string;
  name: string;
  files: number;
}

export interface StoredFile {
  id: string;
  name: string;
  status: string;
  error: string;
}

export interface Answer {
  question: string;
  running: boolean;
  html: string;
  note: string;
  line: string;
  error: string;
}

export const NEW = "";

/** How an assistant is called in the list. */
export function called({ id, name, own, pending }: Listed): string {
  const about = [name && name !== id ? id : "", own ? "" : "not yours", pending ? "not saved" : ""];
  return [name || id, ...about.filter(Boolean)].join(" · ");
}

/** The value that a form shows of a control, to be read. */
export function shown(form: Form, control: Control, collections: readonly Collection[] = []): string {
  const value = form[control];
  if (typeof value === "boolean") return value ? "yes" : "";
  if (control === "store") return collections.find((each) => each.id === value)?.name ?? form.store;
  if (control === "metadata") return form.metadata.map(([key, text]) => `${key}: ${text}`).join("\n");
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Return the list with a name in it, or without. */
export function ticked(names: readonly string[], name: string, isOn: boolean): string[] {
  const others = names.filter((each) => each !== name);
  return isOn ? [...others, name] : others;
}
