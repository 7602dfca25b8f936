import type { FakeGitLab } from './fake-gitlab.ts';
import type { FakeJob } from './fake-job.ts';
import type { FakeRunner } from './runners.ts';

export interface DemoOptions {
  /** The runner that the jobs are for; added where the instance does not know it. Default: a new one. */
  runnerToken?: string;
  /** Whether machines can clone. Without git the jobs carry the same files in their script lines. */
  hasGit: boolean;
  /** How long the build rests between its steps, so that somebody can watch; default 0. */
  pauseSeconds?: number;
}

export interface ExpectedOutcome {
  name: string;
  expectedState: 'success' | 'failed';
  /** GitLab's reason; null for a job that succeeds. */
  failureReason: string | null;
}

export interface DemoPipeline {
  runner: FakeRunner;
  /** `build`, `verify` (needs build's artifact) and `lint` (fails on purpose). */
  jobs: readonly FakeJob[];
  expected: readonly ExpectedOutcome[];
}

const build = String.raw`#!/bin/sh
# Assembles dist/greeting.txt from its sources.
set -eu
say() { printf '\033[36;1m%s\033[0m\n' "$1"; }
section() { printf 'section_%s:%s:%s\r\033[0K' "$1" "$(date +%s)" "$2"; }
section start assemble
say 'Assembling the greeting'
mkdir -p dist
: > dist/greeting.txt
for source in sources/*.txt; do
  printf '  \033[33m+\033[0m %s (%s bytes)\n' "$source" "$(wc -c < "$source" | tr -d ' ')"
  cat "$source" >> dist/greeting.txt
  sleep "$PAUSE_SECONDS"
done
section end assemble
section start checksum
say 'Writing its checksum'
(cd dist && sha256sum greeting.txt > greeting.txt.sha256 && cat greeting.txt.sha256)
section end checksum
printf '\033[32;1mBuilt %s lines for %s\033[0m\n' "$(wc -l < dist/greeting.txt | tr -d ' ')" "$CI_PROJECT_PATH"
`;

const verify = String.raw`#!/bin/sh
# Checks what the build handed over.
set -eu
echo 'What came with the artifact:'
ls dist
(cd dist && sha256sum -c greeting.txt.sha256)
grep -q 'throw-away machine' dist/greeting.txt
printf '\033[32;1mThe greeting is whole:\033[0m\n'
cat dist/greeting.txt
`;

const lint = String.raw`#!/bin/sh
# Wants short lines. One source has a long one, on purpose: this job shows how a failure looks.
longest=60
for source in sources/*.txt; do
  while IFS= read -r line; do
    if [ "$(printf %s "$line" | wc -c)" -gt "$longest" ]; then
      printf '\033[31;1m%s: a line is longer than %s characters:\033[0m\n  %s\n' "$source" "$longest" "$line"
      exit 1
    fi
  done < "$source"
done
echo 'All lines are short.'
`;

const files: Readonly<Record<string, string>> = {
  'README.md': '# Greeting\n\nA text that is assembled, checked and handed on by three small jobs.\n',
  'build.sh': build,
  'lint.sh': lint,
  'verify.sh': verify,
  'sources/1-hello.txt': 'Hello from a throw-away machine.\n',
  'sources/2-what.txt': 'It was started for one job, and it is gone as soon as the job has ended.\n',
  'sources/3-bye.txt': 'Have a nice day!\n',
};

/** Adds the project `demo/greeting` and its three jobs; they use nothing but a POSIX shell and ordinary small tools. */
export async function createDemoPipeline(gitlab: FakeGitLab, options: DemoOptions): Promise<DemoPipeline> {
  const { runnerToken, hasGit, pauseSeconds = 0 } = options;
  const known = gitlab.runners.find((runner) => runner.token === runnerToken);
  const runner =
    known ?? gitlab.addRunner({ description: 'demo', ...(runnerToken === undefined ? {} : { token: runnerToken }) });
  const project = await gitlab.addProject({ path: 'demo/greeting', ...(hasGit ? { files } : {}) });
  const script = (program: string, more: readonly string[]) => [
    ...(hasGit ? [] : [program, ...more].map(writeFile)),
    `sh ./${program}`,
  ];
  const sources = Object.keys(files).filter((path) => path.startsWith('sources/'));
  const common = { project, runner, pipelineId: gitlab.newPipelineId(), timeoutSeconds: 1800 };
  const buildJob = gitlab.enqueue({
    ...common,
    name: 'build',
    stage: 'build',
    variables: { PAUSE_SECONDS: String(pauseSeconds) },
    script: script('build.sh', sources),
    afterScript: ['echo "Job $CI_JOB_ID of $CI_PROJECT_PATH is done."'],
    artifacts: { name: 'greeting', paths: ['dist/'], expireIn: '1 week' },
  });
  const verifyJob = gitlab.enqueue({
    ...common,
    name: 'verify',
    stage: 'test',
    needs: [buildJob],
    script: script('verify.sh', []),
  });
  const lintJob = gitlab.enqueue({ ...common, name: 'lint', stage: 'test', script: script('lint.sh', sources) });
  return {
    runner,
    jobs: [buildJob, verifyJob, lintJob],
    expected: [
      { name: 'build', expectedState: 'success', failureReason: null },
      { name: 'verify', expectedState: 'success', failureReason: null },
      { name: 'lint', expectedState: 'failed', failureReason: 'script_failure' },
    ],
  };
}

/** A script line that writes one of the project's files. Its first line is what the log shows of it. */
function writeFile(path: string): string {
  const folder = path.includes('/') ? `mkdir -p ${path.slice(0, path.lastIndexOf('/'))} && ` : '';
  return `${folder}cat > ${path} <<'END_OF_FILE'\n${files[path] ?? ''}END_OF_FILE`;
}
