import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchClient, createClient, serve } from '../../electron/contract/transport.ts';
import { type Bench, openBench } from '../../electron/core/bench.ts';
import { directoriesBelow } from '../../electron/core/platform/directories.ts';
import { type Log, silentLog } from '../../electron/core/platform/log.ts';
import { FakeGitLab, type FakeGitLabOptions } from './gitlab/fake-gitlab.ts';
import type { FakeRunner } from './gitlab/runners.ts';
import { fakeImages } from './images.ts';
import type { Behaviour } from './qemu/behaviour.ts';
import { type FakeQemu, guestScript, installFakeQemu } from './qemu/install-fake-qemu.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface SceneOptions {
  qemu?: Partial<Behaviour>;
  gitlab?: Partial<FakeGitLabOptions>;
  /** Lines of YAML for the machine, indented by four blanks. */
  machineLines?: string;
  slotCount?: number;
  log?: Log;
}

/** A GitLab, a fake QEMU whose guests run jobs, and a bench between them, in a folder of their own. */
export class BenchScene implements AsyncDisposable {
  readonly folder: string;
  readonly gitlab: FakeGitLab;
  readonly runner: FakeRunner;
  readonly qemu: FakeQemu;
  readonly configPath: string;
  readonly #scope: AsyncDisposableStack;
  readonly #log: Log;

  private constructor(
    scope: AsyncDisposableStack,
    parts: Pick<BenchScene, 'folder' | 'gitlab' | 'runner' | 'qemu' | 'configPath'>,
    log: Log,
  ) {
    this.#scope = scope;
    this.#log = log;
    this.folder = parts.folder;
    this.gitlab = parts.gitlab;
    this.runner = parts.runner;
    this.qemu = parts.qemu;
    this.configPath = parts.configPath;
  }

  static async set(options: SceneOptions = {}): Promise<BenchScene> {
    await using opening = new AsyncDisposableStack();
    const folder = opening.use(await temporaryDirectory()).path;
    await mkdir(join(folder, 'gitlab'));
    const gitlab = opening.use(
      await FakeGitLab.start({ directory: join(folder, 'gitlab'), longPollMs: 5_000, ...options.gitlab }),
    );
    const runner = gitlab.addRunner();
    const qemu = await installFakeQemu(folder, { guest: guestScript('runs-jobs'), ...options.qemu });
    const configPath = join(folder, 'config.yaml');
    await writeFile(join(folder, 'token'), `${runner.token}\n`, { mode: 0o600 });
    await writeFile(configPath, config(gitlab.url, options));
    return new BenchScene(opening.move(), { folder, gitlab, runner, qemu, configPath }, options.log ?? silentLog);
  }

  get directories() {
    return directoriesBelow(this.folder);
  }

  /** Opens the bench; it is closed with the scene, or before. */
  async open(): Promise<{ bench: Bench; client: BenchClient }> {
    const bench = this.#scope.use(
      await openBench({
        configPath: this.configPath,
        directories: this.directories,
        version: 'test',
        recipesDirectory: join(this.folder, 'recipes'),
        log: this.#log,
        qemuPath: this.qemu.path,
        images: await fakeImages(this.folder),
      }),
    );
    const server = serve(bench.handlers);
    const client = createClient({
      call: (name, input) => server.answer(name, input),
      listen: (name, onEvent) => server.open(name, onEvent),
    });
    return { bench, client };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.disposeAsync();
  }
}

function config(url: string, options: SceneOptions): string {
  return `# A comment that stays.
capacity:
  here: { cpus: 8, memory: 8G, disk: 80G, runs: ${options.slotCount ?? 1} }
  keep-free: { memory: 1M, disk: 1M }
machines:
  fake:
    image: fake
    executor: shell
    cpus: 1
    memory: 256M
    disk: 1G
${options.machineLines ?? ''}connections:
  - name: work
    url: ${url}
    runners:
      - { name: bench, token-file: token, machine: fake, projects: [] }
`;
}
