import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { EpochMs, JobId, RunId, RunnerId } from '../../../electron/contract/ids.ts';
import { Ledger, type LedgerRecord } from '../../../electron/core/jobs/ledger.ts';
import { aRun } from '../../fakes/bench-state.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const record: LedgerRecord = {
  runId: '0a1b2c3d' as RunId,
  runner: 'work/build' as RunnerId,
  machine: 'debian-build',
  image: 'debian-12',
  gitlabUrl: 'https://gitlab.example.com',
  jobId: 7 as JobId,
  jobToken: 'glcbt-secret',
  job: aRun().job,
  failureReasons: [],
  receivedAt: 1_000 as EpochMs,
  timeoutSeconds: 600,
  timeline: [],
};

it('H01 keeps a record for the next start, and drops it once it is removed', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'ledger.db');
  {
    using ledger = new Ledger(path);
    ledger.add(record);
  }
  using ledger = new Ledger(path);
  expect(ledger.all()).toEqual({ records: [record], unreadableCount: 0 });
  ledger.remove(record.runId);
  expect(ledger.all().records).toEqual([]);
});

it('says what to do when the record cannot be written', async () => {
  await using folder = await temporaryDirectory();
  using ledger = new Ledger(join(folder.path, 'ledger.db'));
  ledger.add(record);
  expect(() => ledger.add(record)).toThrow(expect.objectContaining({ code: 'jobs/ledger-unwritable' }));
});

it('C09 is refused to a second user, who is told that the first is running', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'ledger.db');
  {
    using _first = new Ledger(path);
    expect(() => new Ledger(path)).toThrow(expect.objectContaining({ code: 'jobs/ledger-in-use' }));
  }
  using again = new Ledger(path);
  expect(again.all().records).toEqual([]);
});

it('leaves nothing of a check', async () => {
  await using folder = await temporaryDirectory();
  using ledger = new Ledger(join(folder.path, 'ledger.db'));
  ledger.check();
  ledger.check();
  expect(ledger.all()).toEqual({ records: [], unreadableCount: 0 });
});
