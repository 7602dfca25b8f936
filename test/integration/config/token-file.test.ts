import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunnerId } from '../../../electron/contract/ids.ts';
import { readToken } from '../../../electron/core/config/token-file.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const id = 'work/build' as RunnerId;

async function read(content: string | Uint8Array, mode = 0o600): Promise<string> {
  await using folder = await temporaryDirectory();
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, content);
  await chmod(tokenFile, mode);
  return await readToken({ files: systemFiles }, { id, tokenFile });
}

describe('a token file', () => {
  it.each(['glrt-t1_ABC.def-123', '  glrt-0123456789\n', 'glrt-0123456789\r\n'])(
    'gives its token: %j',
    async (text) => {
      expect(await read(text)).toBe(text.trim());
    },
  );

  it.each([0o640, 0o604, 0o666, 0o620, 0o601])(
    'that others may use (mode %o) is refused with what to do',
    async (mode) => {
      await expect(read('glrt-0123456789', mode)).rejects.toMatchObject({
        code: 'config/token-file-open',
        remedy: expect.stringMatching(/^Run: chmod 600 \//),
      });
    },
  );

  it.each([
    ['', 'is empty'],
    ['\n \n', 'is empty'],
    ['glrt-0123456789\nglrt-abcdefghij\n', 'has more than one line'],
    ['glrt 0123456789', 'does not hold a runner token'],
    ['short', 'does not hold a runner token'],
    ['glrt-0123456789\u0000', 'does not hold a runner token'],
    ['glrt-０１２３４５６７', 'does not hold a runner token'],
    ['x'.repeat(257), 'is longer than 256 bytes'],
  ])('with %j is refused, because it %s', async (text, why) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'config/token-invalid',
      message: expect.stringContaining(why),
    });
  });

  it('never shows in an error', async () => {
    for (const [text, mode] of [
      ['glrt-0123456789!', 0o600],
      ['glrt-0123456789', 0o644],
    ] as const) {
      const error: unknown = await read(text, mode).catch((caught: unknown) => caught);
      expect(JSON.stringify(error) + String(error)).not.toContain('glrt-0123456789');
    }
  });

  it('that is missing is named', async () => {
    const missing = readToken({ files: systemFiles }, { id, tokenFile: '/nonexistent/token' });
    await expect(missing).rejects.toMatchObject({
      code: 'config/token-missing',
      message: expect.stringContaining('work/build'),
    });
  });

  it('that is a folder is refused', async () => {
    await using folder = await temporaryDirectory();
    const tokenFile = join(folder.path, 'token');
    await mkdir(tokenFile, { mode: 0o700 });
    await expect(readToken({ files: systemFiles }, { id, tokenFile })).rejects.toMatchObject({
      code: 'config/unreadable',
    });
  });
});
