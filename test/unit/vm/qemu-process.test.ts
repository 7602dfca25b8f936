import { expect, it } from 'vitest';
import { epochMsSchema, runIdSchema } from '../../../electron/contract/ids.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { type Processes, systemProcesses } from '../../../electron/core/platform/processes.ts';
import { adoptQemu } from '../../../electron/core/vm/qemu-process.ts';
import { runPaths } from '../../../electron/core/vm/run-directory.ts';
import { FakeClock } from '../../fakes/clock.ts';

const paths = runPaths({ runs: '/state/runs', sockets: '/run/a,b' }, runIdSchema.parse('0badcafe'));
const record = { pid: 42, startTime: '1000', qemuPath: '/usr/bin/qemu', startedAt: epochMsSchema.parse(1) };

/** A host on which pid 42 is what the test says. */
function aHost() {
  const host = { startTime: '1000', commandLine: ['qemu', '-chardev', 'socket,id=qmp,path=/run/a,,b/0badcafe/q'] };
  const killed: number[] = [];
  const processes: Processes = {
    ...systemProcesses,
    startTime: async () => host.startTime,
    commandLine: async () => host.commandLine,
    kill: (pid) => killed.push(pid) > 0,
  };
  return { host, killed, deps: { processes, files: systemFiles, clock: new FakeClock() } };
}

it('adopts the process whose pid, start time and command line are those of the run', async () => {
  const { deps, host } = aHost();
  const never = new AbortController().signal;
  expect((await adoptQemu(deps, paths, record, never))?.pid).toBe(42);
  host.commandLine = ['qemu', '-chardev', 'socket,id=qmp,path=/run/a,,b/0badcaff/q'];
  expect(await adoptQemu(deps, paths, record, never)).toBe(undefined);
});

it('kills it, but not the stranger that has its pid by then', async () => {
  const { deps, host, killed } = aHost();
  const watching = new AbortController();
  const process = await adoptQemu(deps, paths, record, watching.signal);
  await process?.kill();
  expect(killed).toEqual([42]);
  host.startTime = '2000';
  await process?.kill();
  expect(killed).toEqual([42]);
  watching.abort();
});

it('sees within a quarter of a second that it has ended', async () => {
  const { deps, host } = aHost();
  const process = await adoptQemu(deps, paths, record, new AbortController().signal);
  host.startTime = '2000';
  await deps.clock.advance(250);
  expect(await process?.exited).toEqual({ exitCode: null, signal: null });
});

it('leaves no timer behind when the watching ends', async () => {
  const { deps } = aHost();
  const watching = new AbortController();
  await adoptQemu(deps, paths, record, watching.signal);
  watching.abort();
  await deps.clock.advance(1_000);
  expect(deps.clock.pendingCount).toBe(0);
});
