import { EventEmitter } from 'node:events';
import type { MessageBoxOptions, MessageBoxReturnValue } from 'electron';
import { strict } from './strict.ts';

/** Dialogs wait for a user who is not there; a test that expects one answers it by replacing the method. */
export const dialog = strict('dialog', {
  showMessageBox({ message, detail, buttons }: MessageBoxOptions): Promise<MessageBoxReturnValue> {
    const text = [message, detail, `[${(buttons ?? []).join('] [')}]`].filter(Boolean).join('\n');
    process.stderr.write(`electron double: a dialog waits for an answer:\n${text}\n`);
    return new Promise(() => {});
  },
  showErrorBox(title: string, content: string): void {
    process.stderr.write(`electron double: ${title}: ${content}\n`);
  },
});

/** Links handed to the user's browser end here; a test that expects one replaces the method. */
export const shell = strict('shell', {
  openExternal: async (url: string): Promise<void> => {
    process.stderr.write(`electron double: opened ${url}\n`);
  },
});

/** A PC that is plugged in and in use; tests emit its events. */
export const powerMonitor = strict('powerMonitor', new EventEmitter());

/** As on a Linux without a key store: reversible, and it says so. */
export const safeStorage = strict('safeStorage', {
  isEncryptionAvailable: () => true,
  getSelectedStorageBackend: () => 'basic_text',
  encryptString: (text: string) => Buffer.from(`v10${text}`),
  decryptString: (bytes: Buffer) => bytes.toString().replace(/^v10/, ''),
});
