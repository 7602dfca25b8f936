import type { EpochMs, JobId, RunId, RunnerId } from '../../electron/contract/ids.ts';
import type { BenchState, Outcome, PhaseMark, RunnerView, RunPhase, RunView } from '../../electron/contract/state.ts';
import { aBenchState, aRun } from '../fakes/bench-state.ts';
import { ScriptedBench } from '../fakes/scripted-bench.ts';

const esc = '\u001b';
const gib = 1024 ** 3;

export const buildId = 'b0000001' as RunId;
export const bootingId = 'b0000002' as RunId;
export const failedId = 'f0000001' as RunId;

/** Marks of phases that began so many seconds before `now`. */
function timeline(now: number, secondsAgo: Partial<Record<RunPhase, number>>): PhaseMark[] {
  return Object.entries(secondsAgo).map(([phase, seconds]) => ({
    phase: phase as RunPhase,
    at: (now - seconds * 1_000) as EpochMs,
  }));
}

export function aFinishedRun(id: string, job: Partial<RunView['job']>, outcome: Partial<Outcome>, at: number): RunView {
  const { pid: _pid, isCanceling: _isCanceling, ...common } = aRun();
  return {
    ...common,
    id: id as RunId,
    job: { ...common.job, ...job },
    timeline: [
      { phase: 'reserved', at: (at - 190_000) as EpochMs },
      { phase: 'accepted', at: (at - 189_000) as EpochMs },
      { phase: 'preparing', at: (at - 188_000) as EpochMs },
      { phase: 'booting', at: (at - 186_000) as EpochMs },
      { phase: 'ready', at: (at - 150_000) as EpochMs },
      { phase: 'running', at: (at - 149_000) as EpochMs },
      { phase: 'finishing', at: (at - 1_000) as EpochMs },
      { phase: 'finished', at: at as EpochMs },
    ],
    phase: 'finished',
    outcome: { state: 'success', failureReason: null, exitCode: 0, why: 'The job succeeded.', error: null, ...outcome },
  };
}

/** The run whose trace is watched: it has been running for a while. */
export function theBuild(now: number): Extract<RunView, { phase: 'running' }> {
  return aRun({
    id: buildId,
    job: {
      id: 4711 as JobId,
      name: 'build:firmware',
      stage: 'build',
      projectPath: 'lab/firmware',
      ref: 'main',
      sha: '9f2c41d7e0aa',
      webUrl: null,
    },
    timeline: timeline(now, { reserved: 131, accepted: 130, preparing: 129, booting: 126, ready: 88, running: 87 }),
    pid: 4242,
  });
}

function theBootingRun(now: number): RunView {
  const { isCanceling: _isCanceling, ...common } = aRun();
  return {
    ...common,
    id: bootingId,
    machine: 'debian-docker',
    image: 'debian-12-docker',
    job: { ...common.job, id: 4712 as JobId, name: 'test: [linux, 3.12]', projectPath: 'lab/tools', ref: 'fix-race' },
    timeline: timeline(now, { reserved: 150, accepted: 149, preparing: 148, booting: 145 }),
    phase: 'booting',
    pid: 4301,
  };
}

function theRunners(now: number): RunnerView[] {
  const gitlabUrl = 'https://gitlab.example.com';
  return [
    {
      id: 'work/bench-3 build' as RunnerId,
      connection: 'work',
      name: 'bench-3 build',
      gitlabUrl,
      machine: 'debian-build',
      status: { kind: 'polling', isLongPoll: true },
      lastAnswerAt: (now - 4_000) as EpochMs,
    },
    {
      id: 'work/bench-3 docker' as RunnerId,
      connection: 'work',
      name: 'bench-3 docker',
      gitlabUrl,
      machine: 'debian-docker',
      status: { kind: 'idle', why: 'No room for 8 GiB of memory.' },
      lastAnswerAt: (now - 151_000) as EpochMs,
    },
    {
      id: 'yard/yocto' as RunnerId,
      connection: 'yard',
      name: 'yocto',
      gitlabUrl: 'https://gitlab.yard.example',
      machine: 'yocto',
      status: {
        kind: 'backing-off',
        until: (now + 42_000) as EpochMs,
        error: {
          code: 'gitlab/unreachable',
          message: 'gitlab.yard.example does not answer',
          remedy: 'Check the network, or whether the instance is up.',
        },
      },
      lastAnswerAt: null,
    },
  ];
}

/** A bench on an ordinary day. @param now Milliseconds since 1970. */
export function aScene(now: number, more: Partial<BenchState> = {}): BenchState {
  const host = { cpus: 16, memoryBytes: 62.7 * gib, diskBytes: 480 * gib, slotCount: 8 };
  const lent = { cpus: 12, memoryBytes: 48 * gib, diskBytes: 200 * gib, slotCount: 4 };
  const reserved = { cpus: 8, memoryBytes: 16 * gib, diskBytes: 80 * gib, slotCount: 2 };
  const whole = { memoryBytes: Math.floor(host.memoryBytes) };
  return aBenchState({
    startedAt: (now - 3_600_000) as EpochMs,
    host: {
      accelerator: { kind: 'kvm', why: '/dev/kvm ran the 512-byte test guest in 3 ms.' },
      egress: { kind: 'routed', why: 'Each machine has a network namespace of its own; private ranges are refused.' },
      qemuVersion: '10.1.2',
    },
    capacity: { host: { ...host, ...whole }, lent, reserved },
    runnersById: Object.fromEntries(theRunners(now).map((runner) => [runner.id, runner])),
    runsById: { [buildId]: theBuild(now), [bootingId]: theBootingRun(now) },
    history: [
      aFinishedRun(
        failedId,
        { id: 4709 as JobId, name: 'lint', projectPath: 'lab/firmware', ref: 'main' },
        { state: 'failed', failureReason: 'script_failure', exitCode: 2, why: 'The script ended with exit code 2.' },
        now - 600_000,
      ),
      aFinishedRun('f0000002', { id: 4702 as JobId, name: 'build:docs' }, {}, now - 1_500_000),
      aFinishedRun(
        'f0000003',
        { id: 4690 as JobId, name: 'deploy', ref: 'v1.4.0' },
        { state: 'canceled', failureReason: 'job_canceled', why: 'Canceled at GitLab.' },
        now - 5_000_000,
      ),
    ],
    ...more,
  });
}

let stampCount = 0;
/** A line as a runner from 18.7 on writes it. */
export function stamped(text: string, flag = ' ', stream = '01O'): string {
  stampCount += 1;
  const at = new Date(Date.parse('2026-11-23T12:00:00Z') + stampCount * 250).toISOString();
  return `${at.replace('Z', '000Z')} ${stream}${flag}${text}\n`;
}

function section(name: string, title: string, from: number, to: number | null, lines: string[], options = ''): string {
  return [
    stamped(`section_start:${from}:${name}${options}\r`, ' ', '00O'),
    stamped(`${esc}[0K${esc}[36;1m${title}${esc}[0;m`, '+', '00O'),
    ...lines.map((line) => stamped(line)),
    ...(to === null ? [] : [stamped(`section_end:${to}:${name}\r`, ' ', '00O'), stamped(`${esc}[0K`, '+', '00O')]),
  ].join('');
}

/** The trace of a job that is compiling, as it is when the window opens. */
export function buildTrace(): string {
  stampCount = 0;
  const compile = Array.from(
    { length: 12 },
    (_, at) => `${esc}[32m[${String(at + 1).padStart(3)}/240]${esc}[0m Building C object src/driver_${at + 1}.o`,
  );
  return [
    stamped(`${esc}[0KRunning with gitlab-runner 18.7.1 (4a0e1c2b)${esc}[0;m`, ' ', '00O'),
    section('prepare_executor', 'Preparing the "shell" executor', 1000, 1000, ['Using Shell (bash) executor']),
    section('get_sources', 'Getting source from Git repository', 1001, 1004, [
      `${esc}[32;1mFetching changes with git depth set to 20...${esc}[0;m`,
      `${esc}[32;1mChecking out 9f2c41d7 as detached HEAD (ref is main)...${esc}[0;m`,
    ]),
    section(
      'restore_cache',
      'Restoring cache',
      1004,
      1069,
      ['Checking cache for main-3...', 'Downloading cache.zip from the object store', 'Successfully extracted cache'],
      '[collapsed=true]',
    ),
    section('step_script', 'Executing "step_script" stage of the job script', 1069, null, [
      `${esc}[32;1m$ cmake --preset release && ninja -C build${esc}[0;m`,
      '-- The C compiler identification is GNU 12.2.0',
      `${esc}[33mCMake Warning at CMakeLists.txt:14: OpenOCD was not found${esc}[0m`,
      `  10 %\r  55 %\r${esc}[1m 100 %${esc}[0m configured`,
      ...compile,
      `src/driver_12.c:88:12: ${esc}[1;35mwarning:${esc}[0m unused variable ${esc}[1m'crc'${esc}[0m`,
      `${esc}[38;2;255;140;0mflash 61 %${esc}[0m ${esc}[48;5;24m ram 23 % ${esc}[0m ${esc}[31merror budget 0${esc}[0m`,
    ]),
  ].join('');
}

export const failedTrace = [
  'Running with gitlab-runner 17.11.0 (0f67ff19)\n',
  `${esc}[32;1m$ make lint${esc}[0;m\n`,
  `${esc}[31;1mERROR: Job failed: exit code 2${esc}[0;m\n`,
].join('');

/** A scripted core with the scene and its traces in it. */
export function aScriptedScene(more: Partial<BenchState> = {}): ScriptedBench {
  const bench = new ScriptedBench(aScene(Date.now(), more));
  bench.appendTrace(buildId, buildTrace());
  bench.appendTrace(failedId, failedTrace);
  bench.appendConsole(
    buildId,
    '[    0.000000] Linux version 6.1.0\r\n[    0.512345] \u001b[32mSystem is up\u001b[0m\r\n',
  );
  return bench;
}
