import type { ElectronApplication } from 'playwright-core';
import { vi } from 'vitest';
import type { Shell } from '../../electron/app/shell.ts';
import type { FakeBench } from '../fakes/fake-bench.ts';

/** What the app of `fixtures/main.ts` leaves on its global object, for code that runs in the app's main process. */
export interface BenchTest {
  benchTest: Shell<FakeBench>;
}

/** Waits until a check passes: for what another process does, on a machine that may be busy. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 50 });
}

/** The tray's menu as it stands: labels, and a mark where there is one. */
export function trayMenu(electron: ElectronApplication): Promise<string[]> {
  return electron.evaluate(() =>
    (globalThis as unknown as BenchTest).benchTest.tray.menu.items
      .filter((item) => item.type !== 'separator')
      .map((item) => (item.type === 'checkbox' ? `[${item.checked ? 'x' : ' '}] ${item.label}` : item.label)),
  );
}

/** Clicks an item of the tray's menu, as the panel would. */
export function clickTray(electron: ElectronApplication, id: string): Promise<void> {
  return electron.evaluate((_electron, itemId) => {
    (globalThis as unknown as BenchTest).benchTest.tray.menu.getMenuItemById(itemId)?.click();
  }, id);
}

/** Answers every dialog from now on with the button of this label, and keeps what was asked. */
export function answerDialogs(electron: ElectronApplication, label: string): Promise<void> {
  return electron.evaluate(({ dialog }, wanted) => {
    const asked: string[] = [];
    Object.assign(globalThis, { askedDialogs: asked });
    dialog.showMessageBox = async (...args: unknown[]) => {
      const { message = '', buttons = [] } = args.at(-1) as { message?: string; buttons?: string[] };
      asked.push(`${message} [${buttons.join('] [')}]`);
      return { response: buttons.indexOf(wanted), checkboxChecked: false };
    };
  }, label);
}

export function askedDialogs(electron: ElectronApplication): Promise<string[]> {
  return electron.evaluate(() => (globalThis as unknown as { askedDialogs: string[] }).askedDialogs);
}
