import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessResult, systemProcesses } from '../../../electron/core/platform/processes.ts';
import { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const vmImages = fileURLToPath(new URL('../../../vm-images', import.meta.url));
export const runnerScripts = join(vmImages, 'common/bench/runner');

/** The shells the runner is made for: the one of the machines, and Debian's own. */
export const shells = { ash: ['busybox', 'sh'], dash: ['dash'] } as const;
export type ShellName = keyof typeof shells;
export const shellNames: readonly ShellName[] = ['ash', 'dash'];

/** Makes a folder with the programs the scripts use, as a machine has them: all of busybox. */
export async function busyboxTools(directory: string): Promise<string> {
  const tools = join(directory, 'tools');
  await mkdir(tools);
  const { exitCode, stderr } = await systemProcesses.run('busybox', ['--install', '-s', tools]);
  if (exitCode !== 0) throw new Error(`busybox does not install: ${stderr}`);
  return tools;
}

/** A stand-in GitLab, and the shell runner on this host. */
export class RunnerBench implements AsyncDisposable {
  readonly gitlab: FakeGitLab;
  readonly buildsDirectory: string;
  readonly #tools: string;
  readonly #infoPath: string;
  readonly #stack: AsyncDisposableStack;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(at: {
    gitlab: FakeGitLab;
    directory: string;
    tools: string;
    infoPath: string;
    stack: AsyncDisposableStack;
  }) {
    this.gitlab = at.gitlab;
    this.buildsDirectory = join(at.directory, 'builds');
    this.#tools = at.tools;
    this.#infoPath = at.infoPath;
    this.#stack = at.stack;
  }

  static async open(): Promise<RunnerBench> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await temporaryDirectory()).path;
    await mkdir(join(directory, 'gitlab'));
    // As a GitLab where somebody looks at the job: it wants to hear of the trace every second.
    const gitlab = stack.use(
      await FakeGitLab.start({ directory: join(directory, 'gitlab'), traceUpdateIntervalSeconds: 1 }),
    );
    gitlab.addRunner();
    const recipe: unknown = JSON.parse(await readFile(join(vmImages, 'smoke/recipe.json'), 'utf8'));
    const runner = typeof recipe === 'object' && recipe !== null && 'runner' in recipe ? recipe.runner : undefined;
    const infoPath = join(directory, 'runner-info.json');
    await writeFile(infoPath, JSON.stringify(runner));
    const tools = await busyboxTools(directory);
    return new RunnerBench({ gitlab, directory, tools, infoPath, stack: stack.move() });
  }

  /**
   * Runs the runner to its end: it takes one job.
   * @param signal Ends it by SIGTERM, as the power button of a machine does.
   */
  async run(
    options: { shell?: ShellName; env?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<ProcessResult> {
    const [program, ...args] = shells[options.shell ?? 'ash'];
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const run = systemProcesses.run(program, [...args, join(runnerScripts, 'runner.sh')], {
      signal,
      // It then ends the script, which has a session of its own.
      stopSignal: 'SIGTERM',
      env: {
        PATH: `${this.#tools}:${process.env['PATH']}`,
        BENCH_URL: this.gitlab.url,
        BENCH_TOKEN: this.gitlab.runners[0]?.token ?? '',
        BENCH_RUNNER_NAME: 'bench of a test',
        BENCH_RUNNER_INFO: this.#infoPath,
        BENCH_BUILDS_DIR: this.buildsDirectory,
        BENCH_OUTPUT_LIMIT: '4096',
        BENCH_WAIT_TIMEOUT: '1',
        BENCH_CLONE_URL: '',
        BENCH_IMAGE: 'none',
        ...options.env,
      },
    });
    this.#running.add(run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await this.#stack.disposeAsync();
  }
}

/** A trace as people read it: without colours and section markers. */
export function plainTrace(trace: Buffer): string {
  const withoutMarkers = trace.toString().replaceAll(/section_(?:start|end):\d+:[\w.-]+\r/g, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with that very character
  return withoutMarkers.replaceAll(/\u001b\[[0-9;]*[mK]/g, '');
}
