import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { BenchError } from '../../../electron/contract/errors.ts';
import { starterConfig } from '../../../electron/core/config/starter-config.ts';
import type { BootImage } from '../../../electron/core/images/boot-image.ts';
import type { Catalogue } from '../../../electron/headless/commands/images-command.ts';
import type { RunningBench } from '../../../electron/headless/commands/run-command.ts';
import { main } from '../../../electron/headless/main.ts';
import type { StopSignal } from '../../../electron/headless/stop-signals.ts';
import { aRun } from '../../fakes/bench-state.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { aRenderer } from './served-bench.ts';

const image: BootImage = {
  name: 'smoke',
  contentHash: '0123456789abcdef',
  kernelPath: '/k',
  initrdPath: '/i',
  kernelArguments: [],
  rootDisk: null,
  runnerDisk: null,
  runner: {
    name: 'gitlab-runner',
    version: '18.0.0',
    revision: 'abc',
    platform: 'linux',
    architecture: 'amd64',
    executor: 'shell',
    shell: 'sh',
    features: {},
  },
  minimumMemoryBytes: 2 ** 27,
};

/** A fake catalogue that knows `smoke`, built or not, which it builds in two steps, and `torn`, which is damaged. */
class FakeCatalogue implements Catalogue {
  isBuilt = false;
  /** Holds a build back between its steps. */
  gate: Promise<void> = Promise.resolve();

  names() {
    return ['smoke', 'torn'];
  }
  async resolve(name: string) {
    if (name !== 'smoke') throw new BenchError('images/corrupt', `${name} is damaged`, { remedy: 'Build it again.' });
    if (!this.isBuilt) throw new BenchError('images/missing', 'smoke is not built', { remedy: 'Build it.' });
    return image;
  }
  async build(name: string, { onProgress, signal }: Parameters<Catalogue['build']>[1]) {
    if (name !== 'smoke') throw this.#unknown(name);
    onProgress({ text: 'kernel' });
    const stopped = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([this.gate, stopped]);
    onProgress({ text: 'initramfs' });
    this.isBuilt = true;
    return image;
  }
  async verify(name: string) {
    if (name !== 'smoke') throw this.#unknown(name);
  }
  #unknown(name: string) {
    return new BenchError('images/unknown', `There is no image ${name}`, { remedy: 'See: forrest-bench images list' });
  }
}

/** `forrest-bench` in a folder of its own, with a fake bench and a fake catalogue, and its terminal in `lines`. */
async function aProgram({ isTerminal = true } = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryDirectory());
  const bench = stack.use(new FakeBench());
  const catalogue = new FakeCatalogue();
  const rendererDirectory = await aRenderer(folder.path);
  const out: string[] = [];
  const err: string[] = [];
  const signals: StopSignal[] = [];
  const waiting: ((signal: StopSignal) => void)[] = [];
  const opened: unknown[] = [];
  const running: RunningBench = {
    handlers: bench.handlers,
    get state() {
      return bench.state;
    },
    onDelta: (listener) =>
      bench.handlers.streams['bench.events']((event) => {
        if (event.type === 'delta') listener(event.delta);
      }),
    drain: (signal) => bench.drain(signal),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
  return {
    folder: folder.path,
    configPath: join(folder.path, 'config', 'config.yaml'),
    bench,
    catalogue,
    out,
    err,
    opened,
    stop(signal: StopSignal) {
      const resolve = waiting.shift();
      if (resolve === undefined) signals.push(signal);
      else resolve(signal);
    },
    run: (...words: string[]) =>
      main({
        argv: words.length === 0 || words[0]?.startsWith('-') ? words : [...words, '--data', folder.path],
        env: {},
        workingDirectory: folder.path,
        version: '1.2.3',
        rendererDirectory,
        shell: { isTerminal, out: (text) => out.push(text), err: (text) => err.push(text) },
        signals: {
          next() {
            const signal = signals.shift();
            return signal === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(signal);
          },
        },
        openBench: async ({ log: _, directories: __, ...options }) => {
          opened.push(options);
          return running;
        },
        openCatalogue: () => catalogue,
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function addressOf(program: { out: string[] }): Promise<string> {
  return await vi.waitFor(() => {
    const line = program.out.find((text) => text.startsWith('The interface is at '));
    expect(line).toBeDefined();
    return line?.split(' ').at(-1) ?? '';
  });
}

describe('forrest-bench', () => {
  it('says how it is used and what it is', async () => {
    await using program = await aProgram();
    expect(await program.run('--help')).toBe(0);
    expect(await program.run('--version')).toBe(0);
    expect(program.out[0]).toContain('forrest-bench run');
    expect(program.out[1]).toBe('forrest-bench 1.2.3');
  });

  it('ends with 2 and a suggestion where the command line makes no sense', async () => {
    await using program = await aProgram();
    expect(await program.run('rnu')).toBe(2);
    expect(program.err).toEqual([
      'forrest-bench: There is no command "rnu"\n  Did you mean run? See: forrest-bench --help\n  (headless/usage)',
    ]);
  });
});

describe('forrest-bench run', () => {
  it('serves the interface, prints what happens, and drains on a signal', async () => {
    await using program = await aProgram();
    const ended = program.run('run', '--port', '0', '--qemu', '/q');
    const url = await addressOf(program);
    expect(program.opened).toEqual([{ configPath: program.configPath, version: '1.2.3', qemuPath: '/q' }]);
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
    program.bench.begin(aRun());
    program.stop('SIGTERM');
    await vi.waitFor(() => expect(program.bench.deeds).toContain('drain-began'));
    program.bench.finish(aRun(), 'success', 'The job ended well.');
    expect(await ended).toBe(0);
    expect(program.bench.deeds).toEqual(['opened', 'drain-began', 'drain-ended', 'closed']);
    expect(program.out.map((line) => line.replace(/^[\d:]{8} +/, '').replace(/ +/g, ' '))).toEqual([
      'lending this machine',
      `The interface is at ${url}`,
      '0a1b2c3d running lab/firmware build #7 on debian-build, accepted took 5.0 s',
      'Draining: no new jobs are taken. One run goes on. Interrupt again to stop now.',
      'not lending: Draining.',
      '0a1b2c3d finished lab/firmware build #7 success after 6.0 s: The job ended well.',
      'Drained.',
    ]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops at once on a second signal: %s gives %d', async (signal, exitCode) => {
    await using program = await aProgram();
    const ended = program.run('run', '--port', '0');
    await addressOf(program);
    program.bench.begin(aRun());
    program.stop('SIGTERM');
    await vi.waitFor(() => expect(program.bench.deeds).toContain('drain-began'));
    program.stop(signal);
    expect(await ended).toBe(exitCode);
    expect(program.bench.deeds).toEqual(['opened', 'drain-began', 'drain-aborted', 'closed']);
  });

  it('keeps the token out of a log, and tells the address to who asks on this PC', async () => {
    await using program = await aProgram({ isTerminal: false });
    const ended = program.run('run', '--port', '0');
    await vi.waitFor(() => expect(program.err.join()).toContain('interface is served'));
    expect(await program.run('address')).toBe(0);
    const url = program.out[0] ?? '';
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9A-Za-z]{43}$/);
    program.bench.begin(aRun());
    program.bench.finish(aRun(), 'success', 'The job ended well.');
    program.stop('SIGINT');
    expect(await ended).toBe(0);
    const entries = program.err.map((line) => JSON.parse(line) as { msg: string });
    expect(entries.map((entry) => entry.msg)).toEqual([
      'lending changed',
      'interface is served',
      'run phase',
      'run finished',
      'draining',
      'lending changed',
      'drained',
    ]);
    expect(program.err.join()).not.toContain(new URL(url).searchParams.get('token'));
  });

  it('ends with 3 while another one runs', async () => {
    await using program = await aProgram();
    const ended = program.run('run', '--port', '0');
    await addressOf(program);
    expect(await program.run('run', '--port', '0')).toBe(3);
    expect(program.err[0]).toContain(`as process ${process.pid}`);
    expect(program.err[0]).toContain('(headless/already-running)');
    program.stop('SIGINT');
    expect(await ended).toBe(0);
  });

  it('closes the bench again where the port is taken', async () => {
    await using program = await aProgram();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    expect(await program.run('run', '--port', String(port))).toBe(1);
    await new Promise((resolve) => other.close(resolve));
    expect(program.err[0]).toContain('(headless/port-taken)');
    expect(program.bench.deeds).toEqual(['opened', 'closed']);
  });
});

describe('forrest-bench init and check', () => {
  it('write a first config that is right, and never over another', async () => {
    await using program = await aProgram();
    expect(await program.run('check')).toBe(1);
    expect(program.err[0]).toContain(`forrest-bench init --config ${program.configPath}`);
    expect(await program.run('init')).toBe(0);
    expect(await readFile(program.configPath, 'utf8')).toBe(starterConfig());
    expect(await program.run('init')).toBe(1);
    expect(program.err[1]).toContain('(headless/file-exists)');
  });

  it('say what a right config holds', async () => {
    await using program = await aProgram();
    await mkdir(join(program.folder, 'config'));
    await writeFile(program.configPath, 'machines: { m: { image: x, cpus: 1, memory: 64M, disk: 64M } }\n');
    expect(await program.run('check')).toBe(0);
    expect(program.out).toEqual([
      `${program.configPath} is right: 1 machine, 0 connections, 0 runners.`,
      'No runner is configured yet, so no job will be taken.',
    ]);
  });

  it('print every problem and end with 1', async () => {
    await using program = await aProgram();
    const path = join(program.folder, 'c.yaml');
    await writeFile(path, 'lending: { enabled: 1 }\nqemuu: x\n');
    expect(await program.run('check', '--config', 'c.yaml')).toBe(1);
    expect(program.err[0]?.split('\n')).toEqual([
      'forrest-bench: The config file has 2 problems',
      `${path}:1:21 lending.enabled: expected true or false, found 1`,
      `${path}:2:1 qemuu: expected one of lending, capacity, machines, connections, qemu, found the key "qemuu" (did you mean qemu?)`,
      `  Correct ${path} at the lines named. What was in force before stays in force until then.`,
      '  (config/invalid)',
    ]);
  });

  it('look at every file the config names', async () => {
    await using program = await aProgram();
    const path = join(program.folder, 'c.yaml');
    await writeFile(join(program.folder, 'good'), 'glrt-0123456789', { mode: 0o600 });
    await writeFile(join(program.folder, 'open'), 'glrt-0123456789');
    await chmod(join(program.folder, 'open'), 0o644);
    await writeFile(
      path,
      `qemu: /nonexistent/qemu
machines: { m: { image: x, cpus: 1, memory: 64M, disk: 64M, runner-binary: missing-runner } }
connections:
  - name: w
    url: https://gitlab.example.com
    ca-file: missing-ca
    runners:
      - { name: good, token-file: good, machine: m }
      - { name: open, token-file: open, machine: m }
      - { name: missing, token-file: missing, machine: m }
`,
    );
    expect(await program.run('check', '--config', path)).toBe(1);
    expect(program.err.map((text) => text.split('\n')[0])).toEqual([
      `The runner binary of m cannot be used: ${program.folder}/missing-runner`,
      `The CA file of w cannot be used: ${program.folder}/missing-ca`,
      `The token file of w/open may be used by others: ${program.folder}/open has mode 644`,
      `The token file of w/missing does not exist: ${program.folder}/missing`,
      'The program of `qemu:` cannot be used: /nonexistent/qemu',
    ]);
  });
});

describe('forrest-bench address', () => {
  it('says so where no bench runs', async () => {
    await using program = await aProgram();
    expect(await program.run('address')).toBe(1);
    expect(program.err[0]).toContain('(headless/not-running)');
  });
});

describe('forrest-bench images', () => {
  it('lists, builds and verifies', async () => {
    await using program = await aProgram();
    expect(await program.run('images', 'list')).toBe(0);
    expect(await program.run('images', 'build', 'smoke')).toBe(0);
    expect(await program.run('images', 'list')).toBe(0);
    expect(await program.run('images', 'verify', 'smoke')).toBe(0);
    expect(program.err).toEqual(['kernel', 'initramfs']);
    expect(program.out.map((line) => line.replace(/ +/g, ' ').replace(/\d+\.\d s/, 'N s'))).toEqual([
      'smoke not built',
      'torn torn is damaged (images/corrupt)',
      'smoke 0123456789abcdef is ready after N s.',
      'smoke built, 0123456789abcdef',
      'torn torn is damaged (images/corrupt)',
      'smoke is whole, checked in N s.',
    ]);
  });

  it('prints what is wrong, with what to do', async () => {
    await using program = await aProgram();
    expect(await program.run('images', 'build', 'smoek')).toBe(1);
    expect(program.err).toEqual([
      'forrest-bench: There is no image smoek\n  See: forrest-bench images list\n  (images/unknown)',
    ]);
  });

  it('stops a build on a signal', async () => {
    await using program = await aProgram();
    program.catalogue.gate = Promise.withResolvers<void>().promise;
    const ended = program.run('images', 'build', 'smoke');
    await vi.waitFor(() => expect(program.err).toEqual(['kernel']));
    program.stop('SIGINT');
    expect(await ended).toBe(130);
    expect(program.err).toEqual(['kernel', 'Building smoke was stopped.']);
  });
});
