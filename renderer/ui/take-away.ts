import { BenchError } from '../../electron/contract/errors.ts';

/** Puts text on the clipboard; by the old way where the page may not use the new one. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch (cause) {
    if (!copyBySelection(text)) {
      throw new BenchError('screen/no-clipboard', 'The text could not be copied', {
        remedy: 'Download it instead.',
        cause,
      });
    }
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
  }
}

/** How long the browser may take to begin a download before its bytes are let go, in milliseconds. */
const beginMs = 60_000;

/** Offers bytes as a download. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), beginMs);
}
