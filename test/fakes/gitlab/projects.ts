import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProcessResult } from '../../../electron/core/platform/processes.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';

export interface FakeProject {
  readonly id: number;
  /** `group/name`. */
  readonly path: string;
  /** The commit on `main`; of a project without a repository, 40 times the same digit. */
  readonly sha: string;
  /** The bare repository; null for a project without one, whose jobs get `GIT_STRATEGY=none`. */
  readonly repositoryDirectory: string | null;
}

export interface ProjectSpec {
  /** Two or more words of letters, digits, `_`, `-` and `.`. */
  path: string;
  /** Content by path; left out, the project has no repository. A file that starts with `#!` is executable. */
  files?: Readonly<Record<string, string>>;
}

const pathPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/;

export function isProjectPath(path: string): boolean {
  return pathPattern.test(path) && !path.endsWith('.git');
}

/** Git of this machine may be configured in any way; the repositories must not depend on it. */
const gitEnvironment = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

/** Projects and their bare repositories: `<directory>/repositories/<group>/<name>.git`. */
export class ProjectRegistry {
  readonly #directory: string;
  readonly #projects: FakeProject[] = [];

  constructor(directory: string) {
    this.#directory = join(directory, 'repositories');
  }

  /** The folder that paths of repositories are below. */
  get directory(): string {
    return this.#directory;
  }

  byPath(path: string): FakeProject | undefined {
    return this.#projects.find((project) => project.path === path);
  }

  /** A project without a repository, for jobs that name none. */
  ensureDefault(): FakeProject {
    return this.byPath('lab/no-repository') ?? this.#register('lab/no-repository', '5'.repeat(40), null);
  }

  /** Creates a project with one commit on `main`. */
  async add(spec: ProjectSpec): Promise<FakeProject> {
    if (!isProjectPath(spec.path)) throw new Error(`no project path: ${spec.path}`);
    if (this.byPath(spec.path) !== undefined) throw new Error(`there is a project ${spec.path} already`);
    if (spec.files === undefined) return this.#register(spec.path, '5'.repeat(40), null);
    const repository = join(this.#directory, `${spec.path}.git`);
    await mkdir(dirname(repository), { recursive: true });
    await git(['init', '--quiet', '--bare', '--initial-branch=main', repository]);
    await git(['-C', repository, 'fast-import', '--quiet'], fastImport(spec.files));
    const { stdout } = await git(['-C', repository, 'rev-parse', 'refs/heads/main']);
    return this.#register(spec.path, stdout.trim(), repository);
  }

  #register(path: string, sha: string, repositoryDirectory: string | null): FakeProject {
    const project: FakeProject = { id: this.#projects.length + 1, path, sha, repositoryDirectory };
    this.#projects.push(project);
    return project;
  }
}

/** Runners fetch the ref of the pipeline first; it exists as long as the pipeline does. */
export function publishPipelineRef(project: FakeProject, pipelineId: number): void {
  if (project.repositoryDirectory === null) return;
  const path = join(project.repositoryDirectory, 'refs', 'pipelines', String(pipelineId));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${project.sha}\n`);
}

/** One commit in git's own import language; lengths are bytes. */
function fastImport(files: Readonly<Record<string, string>>): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const changes = Object.entries(files).map(([path, content]) => {
    const mode = content.startsWith('#!') ? '100755' : '100644';
    return `M ${mode} inline ${path}\n${data(content)}`;
  });
  const who = 'Demo Author <author@gitlab.demo> 1795424400 +0000';
  return `commit refs/heads/main\nauthor ${who}\ncommitter ${who}\n${data('Add everything')}${changes.join('')}\ndone\n`;
}

async function git(args: readonly string[], input?: string): Promise<ProcessResult> {
  const result = await systemProcesses.run('git', args, {
    env: gitEnvironment,
    timeoutMs: 30_000,
    ...(input === undefined ? {} : { input }),
  });
  if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')} failed: ${result.stderr}`);
  return result;
}
