import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { accessTokenOf } from '../../../electron/headless/access-token.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const deps = { files: systemFiles, random: systemRandom };

describe('the access token', () => {
  it('is made once, in a file of this user alone', async () => {
    await using folder = await temporaryDirectory();
    const state = join(folder.path, 'state');
    const token = await accessTokenOf(deps, { state });
    expect(token).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(await accessTokenOf(deps, { state })).toBe(token);
    expect((await stat(join(state, 'access-token'))).mode & 0o777).toBe(0o600);
  });

  it('is replaced when others could have read it', async () => {
    await using folder = await temporaryDirectory();
    const token = await accessTokenOf(deps, { state: folder.path });
    await chmod(join(folder.path, 'access-token'), 0o644);
    const next = await accessTokenOf(deps, { state: folder.path });
    expect(next).not.toBe(token);
    expect((await stat(join(folder.path, 'access-token'))).mode & 0o777).toBe(0o600);
  });

  it.each(['', 'short', `${'T'.repeat(43)}!`])('is replaced when the file holds %j', async (content) => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'access-token'), content, { mode: 0o600 });
    const token = await accessTokenOf(deps, { state: folder.path });
    expect(await readFile(join(folder.path, 'access-token'), 'utf8')).toBe(`${token}\n`);
  });
});
