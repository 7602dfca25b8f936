import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessResult, systemProcesses } from '../../../electron/core/platform/processes.ts';
import { type FakeGitLab, FakeGitLab as GitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const vmImages = fileURLToPath(new URL('../../../vm-images', import.meta.url));
export const runnerScripts = join(vmImages, 'common/bench/runner');

/** The shells the runner is made for: the one of the machines, and Debian's own. */
export const shells = { ash: ['busybox', 'sh'], dash: ['dash'] } as const;
export type ShellName = keyof typeof shells;

/** A folder with the programs the scripts use, as a machine has them: all of busybox. */
export async function busyboxTools(directory: string): Promise<string> {
  const tools = join(directory, 'tools');
  await mkdir(tools);
  const { exitCode, stderr } = await systemProcesses.run('busybox', ['--install', '-s', tools]);
  if (exitCode !== 0) throw new Error(`busybox does not install: ${stderr}`);
  return tools;
}

/** A stand-in GitLab and the runner on this host, against each other. */
export class RunnerBench implements AsyncDisposable {
  readonly gitlab: FakeGitLab;
  readonly directory: string;
  readonly #tools: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(gitlab: FakeGitLab, directory: string, tools: string, stack: AsyncDisposableStack) {
    this.gitlab = gitlab;
    this.directory = directory;
    this.#tools = tools;
    this.#stack = stack;
  }

  static async open(): Promise<RunnerBench> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await temporaryDirectory());
    await mkdir(join(folder.path, 'gitlab'));
    // As a server that somebody looks at: it wants to hear of the trace every second.
    const gitlab = stack.use(
      await GitLab.start({ directory: join(folder.path, 'gitlab'), traceUpdateIntervalSeconds: 1 }),
    );
    const recipe = JSON.parse(await readText(join(vmImages, 'smoke/recipe.json')));
    await writeFile(join(folder.path, 'runner-info.json'), JSON.stringify(recipe.runner));
    return new RunnerBench(gitlab, folder.path, await busyboxTools(folder.path), stack.move());
  }

  get buildsDirectory(): string {
    return join(this.directory, 'builds');
  }

  /** Runs the runner to its end: it takes one job. */
  async run(shell: ShellName, env: Record<string, string> = {}, signal?: AbortSignal): Promise<ProcessResult> {
    const runner = this.gitlab.runners[0] ?? this.gitlab.addRunner();
    const [program, ...args] = shells[shell];
    return systemProcesses.run(program, [...args, join(runnerScripts, 'runner.sh')], {
      ...(signal === undefined ? {} : { signal, stopSignal: 'SIGTERM' }),
      env: {
        PATH: `${this.#tools}:${process.env['PATH']}`,
        BENCH_URL: this.gitlab.url,
        BENCH_TOKEN: runner.token,
        BENCH_RUNNER_NAME: 'test bench',
        BENCH_RUNNER_INFO: join(this.directory, 'runner-info.json'),
        BENCH_BUILDS_DIR: this.buildsDirectory,
        BENCH_OUTPUT_LIMIT: '4096',
        BENCH_WAIT_TIMEOUT: '5',
        BENCH_CLONE_URL: '',
        BENCH_IMAGE: 'test',
        ...env,
      },
    });
  }

  /** What the runner has left in its own folder. */
  leftovers(): Promise<string[]> {
    return readdir(join(this.buildsDirectory, '.bench'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(path, 'utf8');
}
