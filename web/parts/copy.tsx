// The address of the current view, for a colleague.
import type { JSX } from 'preact';
import { Glyph } from './signs.tsx';
import { toast } from './toasts.tsx';

/** Copies text, even if the page was loaded over plain HTTP and the browser offers no clipboard. */
export async function copyText(text: string): Promise<void> {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- missing outside a secure context
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch {
      // Not allowed: the older command may be.
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyLink(): JSX.Element {
  return (
    <button
      type="button"
      class="small"
      title="Copy the address of what is shown"
      onClick={() => void copyText(location.href).then(() => toast('The link is copied.'))}
    >
      <Glyph shape="copy" /> Copy link
    </button>
  );
}
