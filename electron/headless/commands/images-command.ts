import { BenchError } from '../../contract/errors.ts';
import type { BootImage } from '../../core/images/boot-image.ts';
import type { Clock } from '../../core/platform/clock.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { printable, type Shell } from '../shell.ts';
import type { StopSignals } from '../stop-signals.ts';

/** What this command needs of the image catalogue. */
export interface Catalogue {
  names(): Promise<readonly string[]> | readonly string[];
  /** @throws `images/missing` where the image is not built. */
  resolve(name: string): Promise<BootImage>;
  build(
    name: string,
    options: { onProgress: (progress: { text: string }) => void; signal: AbortSignal },
  ): Promise<BootImage>;
  /** @throws What is wrong with it. */
  verify(name: string): Promise<unknown>;
}

export interface ImagesCommandOptions {
  shell: Shell;
  signals: StopSignals;
  request: { action: 'list' } | { action: 'build' | 'verify'; image: string };
}

/** Lists, builds or verifies images. A signal ends a build, and what it had half done. */
export async function imagesCommand(
  deps: { clock: Clock; catalogue: Catalogue },
  { shell, signals, request }: ImagesCommandOptions,
): Promise<ExitCode> {
  const { catalogue, clock } = deps;
  const startedMs = clock.monotonicMs();
  const took = () => `${((clock.monotonicMs() - startedMs) / 1000).toFixed(1)} s`;
  switch (request.action) {
    case 'list':
      await list(catalogue, shell);
      return exitCodes.ok;
    case 'build': {
      const { image, signal } = await stoppable(signals, (stop) =>
        catalogue.build(request.image, { onProgress: ({ text }) => shell.err(printable(text)), signal: stop }),
      );
      if (image === undefined) {
        shell.err(`Building ${request.image} was stopped.`);
        return signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
      }
      shell.out(`${image.name} ${image.contentHash} is ready after ${took()}.`);
      return exitCodes.ok;
    }
    case 'verify':
      await catalogue.verify(request.image);
      shell.out(`${request.image} is whole, checked in ${took()}.`);
      return exitCodes.ok;
  }
}

async function list(catalogue: Catalogue, shell: Shell): Promise<void> {
  for (const name of await catalogue.names()) shell.out(`${name.padEnd(24)} ${await stateOf(catalogue, name)}`);
}

/** One image that is damaged must not hide the others. */
async function stateOf(catalogue: Catalogue, name: string): Promise<string> {
  try {
    const { contentHash } = await catalogue.resolve(name);
    return `built, ${contentHash}`;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return error.code === 'images/missing' ? 'not built' : `${error.message} (${error.code})`;
  }
}

/** Runs work that a stop signal aborts. */
async function stoppable(
  signals: StopSignals,
  work: (signal: AbortSignal) => Promise<BootImage>,
): Promise<{ image: BootImage; signal?: undefined } | { image?: undefined; signal: string }> {
  const stop = new AbortController();
  const building = work(stop.signal);
  const first = await Promise.race([building, signals.next()]);
  if (typeof first !== 'string') return { image: first };
  stop.abort();
  // It rejects with the abort, once it has cleaned up.
  await Promise.allSettled([building]);
  return { signal: first };
}
