import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { lockFile } from '../../../electron/core/platform/file-lock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

describe('lockFile', () => {
  it('gives a lock to one holder at a time', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'a.lock');
    const first = lockFile(path);
    expect(lockFile(path)).toBeUndefined();
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    using second = lockFile(path);
    expect(second).toBeDefined();
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it('is held by a process until that is killed', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'a.lock');
    const module = join(import.meta.dirname, '../../../electron/core/platform/file-lock.ts');
    const script = [
      `import { lockFile } from ${JSON.stringify(module)};`,
      `globalThis.held = lockFile(${JSON.stringify(path)});`,
      "console.log(globalThis.held === undefined ? 'taken' : 'held');",
      'setInterval(() => {}, 1000);',
    ].join('\n');
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    try {
      const said = await new Promise((resolve) =>
        holder.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
      );
      expect(said).toBe('held\n');
      expect(lockFile(path)).toBeUndefined();
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    const lock = await vi.waitFor(() => lockFile(path) ?? Promise.reject(new Error('still held')));
    lock[Symbol.dispose]();
  });

  it('fails where there is no such folder', () => {
    expect(() => lockFile('/nowhere/a.lock')).toThrow();
  });
});
