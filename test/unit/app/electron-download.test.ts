import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProcessResult } from '../../../electron/core/platform/processes.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import {
  askedLimitMs,
  type DownloadOptions,
  downloadElectron,
  limitMs,
  rememberMs,
} from '../../../electron/electron-download.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const offline = { exitCode: 1, stderr: 'TypeError: fetch failed\n    at async node:internal/x' };

/** A checkout whose install script ends as it is told, and notes how long it was allowed to take. */
async function aCheckout() {
  const folder = await temporaryDirectory();
  const electron = join(folder.path, 'node_modules/electron');
  const setVersion = (version: string) => writeFile(join(electron, 'package.json'), JSON.stringify({ version }));
  await mkdir(electron, { recursive: true });
  await setVersion('45.4.1');
  await writeFile(join(electron, 'install.js'), '');
  const clock = new FakeClock();
  const limits: unknown[] = [];
  const said: string[] = [];
  let result: Partial<ProcessResult> = offline;
  let runsForMs = 0;
  const options = (isAsked: boolean): DownloadOptions => ({
    deps: {
      clock,
      processes: {
        ...systemProcesses,
        run: async (_program, args, runOptions) => {
          expect(args).toEqual([join(electron, 'install.js')]);
          limits.push(runOptions?.timeoutMs);
          await clock.advance(runsForMs);
          return { exitCode: null, signal: null, stdout: '', stderr: '', ...result };
        },
      },
    },
    root: folder.path,
    isAsked,
    say: (line) => said.push(line),
  });
  return {
    clock,
    limits,
    said,
    setVersion,
    ends(next: Partial<ProcessResult>, afterMs = 0) {
      result = next;
      runsForMs = afterMs;
    },
    download: (isAsked = false) => downloadElectron(options(isAsked)),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}

const failed = { kind: 'failed', why: 'it could not be downloaded: TypeError: fetch failed' };

describe('downloadElectron', () => {
  it('runs the script of the electron package', async () => {
    await using checkout = await aCheckout();
    checkout.ends({ exitCode: 0 });
    expect(await checkout.download()).toEqual({ kind: 'done' });
    expect(checkout.limits).toEqual([limitMs]);
    expect(checkout.said).toEqual(['Downloading Electron 45.4.1 (about 110 MB, 60 s at most)']);
  });

  it('says that it is alive', async () => {
    await using checkout = await aCheckout();
    checkout.ends({ exitCode: 0 }, 11_000);
    await checkout.download();
    expect(checkout.said.slice(1)).toEqual(['still downloading, 5 s', 'still downloading, 10 s']);
    expect(checkout.clock.pendingCount).toBe(0);
  });

  it('remembers a failure for a day', async () => {
    await using checkout = await aCheckout();
    expect(await checkout.download()).toEqual(failed);
    await checkout.clock.advance(rememberMs - 1);
    expect(await checkout.download()).toEqual(failed);
    expect(checkout.limits).toEqual([limitMs]);
    await checkout.clock.advance(1);
    expect(await checkout.download()).toEqual(failed);
    expect(checkout.limits).toEqual([limitMs, limitMs]);
  });

  it('tries again at once when it is asked to, with more time', async () => {
    await using checkout = await aCheckout();
    await checkout.download();
    checkout.ends({ exitCode: 0 });
    expect(await checkout.download(true)).toEqual({ kind: 'done' });
    expect(checkout.limits).toEqual([limitMs, askedLimitMs]);
  });

  it('forgets a failure once it has worked', async () => {
    await using checkout = await aCheckout();
    await checkout.download();
    checkout.ends({ exitCode: 0 });
    await checkout.download(true);
    expect(await checkout.download()).toEqual({ kind: 'done' });
  });

  it('tries again at once for another version', async () => {
    await using checkout = await aCheckout();
    await checkout.download();
    await checkout.setVersion('46.0.0');
    await checkout.download();
    expect(checkout.limits).toHaveLength(2);
  });

  it('names a time limit that was reached', async () => {
    await using checkout = await aCheckout();
    checkout.ends({ signal: 'SIGKILL' });
    expect(await checkout.download()).toEqual({ kind: 'failed', why: 'the download took more than 60 s' });
  });
});
