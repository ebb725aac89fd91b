// The one place where HTML is put into the page: what the kernel's renderer made, which lets no markup of a model's live.

import { memo } from "./memo";

export const Html = memo(function Html({ html, class: name }: { html: string; class?: string }) {
  return <div class={name ?? "ab-html"} dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
});
