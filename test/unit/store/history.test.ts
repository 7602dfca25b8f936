import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import type { EpochMs, RunId } from '../../../electron/contract/ids.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { type FinishedRun, History } from '../../../electron/core/store/history.ts';
import { aRun } from '../../fakes/bench-state.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const { pid: _pid, isCanceling: _isCanceling, ...common } = aRun();
function row(id: string, at: number): FinishedRun {
  return {
    ...common,
    id: id as RunId,
    phase: 'finished',
    timeline: [{ phase: 'finished', at: at as EpochMs }],
    outcome: { state: 'success', failureReason: null, exitCode: null, why: 'The job succeeded.', error: null },
  };
}

it('gives back what was added, newest first, also after it was closed and opened again', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'history.db');
  {
    using history = new History({ log: silentLog }, path);
    history.add(row('00000001', 1_000));
    history.add(row('00000002', 2_000));
  }
  using history = new History({ log: silentLog }, path);
  expect(history.latest()).toEqual([row('00000002', 2_000), row('00000001', 1_000)]);
});

it('leaves out a row that cannot be read any more', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'history.db');
  using history = new History({ log: silentLog }, path);
  history.add(row('00000001', 1_000));
  using other = new DatabaseSync(path);
  other.exec(`INSERT INTO runs VALUES ('x', 5, '{"from": "a future version"}')`);
  expect(history.latest()).toEqual([row('00000001', 1_000)]);
});
