import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from './core/platform/deps.ts';

/** A download that nobody asked for by name may take this long; one that was asked for, longer. */
export const limitMs = 60_000;
export const askedLimitMs = 15 * 60_000;
/** For this long a failure is not tried again by itself: a machine without a network is to start quickly. */
export const rememberMs = 24 * 60 * 60_000;
const progressEveryMs = 5_000;

const failureSchema = z.object({ version: z.string(), failedAt: z.number(), why: z.string() });
const packageSchema = z.object({ version: z.string() });

export type DownloadResult = { kind: 'done' } | { kind: 'failed'; why: string };

export interface DownloadOptions {
  deps: Pick<PlatformDeps, 'clock' | 'processes'>;
  /** The folder of package.json. */
  root: string;
  /** The owner asked for it: a failure remembered is no reason not to. */
  isAsked: boolean;
  say(line: string): void;
}

/** Gets the Electron executable by the electron package's own script, unless that failed within the last day. */
export async function downloadElectron(options: DownloadOptions): Promise<DownloadResult> {
  const { deps, root, isAsked, say } = options;
  const folder = join(root, 'node_modules', 'electron');
  const script = join(folder, 'install.js');
  if (!existsSync(script)) return { kind: 'failed', why: 'the npm package electron is not installed' };
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const remembered = isAsked ? undefined : rememberedFailure(options, version);
  if (remembered !== undefined) return { kind: 'failed', why: remembered };

  const timeoutMs = isAsked ? askedLimitMs : limitMs;
  say(`Downloading Electron ${version} (about 110 MB, ${timeoutMs / 1000} s at most)`);
  const startedAtMs = deps.clock.monotonicMs();
  const watching = new AbortController();
  const progress = tellProgress(deps.clock, say, startedAtMs, watching.signal);
  const { exitCode, signal, stderr } = await deps.processes.run(process.execPath, [script], { timeoutMs });
  watching.abort();
  await progress;
  if (exitCode === 0) {
    rmSync(memoryPath(root), { force: true });
    return { kind: 'done' };
  }
  const why = signal === 'SIGKILL' ? `the download took more than ${timeoutMs / 1000} s` : reason(stderr);
  mkdirSync(dirname(memoryPath(root)), { recursive: true });
  writeFileSync(memoryPath(root), JSON.stringify({ version, failedAt: deps.clock.now(), why }));
  return { kind: 'failed', why };
}

function rememberedFailure({ deps, root }: DownloadOptions, version: string): string | undefined {
  try {
    const failure = failureSchema.parse(JSON.parse(readFileSync(memoryPath(root), 'utf8')));
    const isRecent = Math.abs(deps.clock.now() - failure.failedAt) < rememberMs;
    return isRecent && failure.version === version ? failure.why : undefined;
  } catch {
    return undefined; // none, or not ours
  }
}

async function tellProgress(
  clock: PlatformDeps['clock'],
  say: (line: string) => void,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(progressEveryMs, signal);
      say(`still downloading, ${Math.round((clock.monotonicMs() - startedAtMs) / 1000)} s`);
    }
  } catch {
    // it is over
  }
}

/** The script ends with the stack of its error, whose first line says what is wrong. */
function reason(stderr: string): string {
  const line = stderr
    .split('\n')
    .map((text) => text.trim())
    .find((text) => /error|failed|enotfound/i.test(text));
  return `it could not be downloaded: ${line?.slice(0, 200) ?? 'no reason given'}`;
}

function memoryPath(root: string): string {
  return join(root, 'node_modules', '.cache', 'forrest-bench', 'electron-download.json');
}
