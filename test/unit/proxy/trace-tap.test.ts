import fc from 'fast-check';
import { expect, it } from 'vitest';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { rangeStart, TraceTap } from '../../../electron/core/proxy/trace-tap.ts';
import type { WholeAnswer } from '../../../electron/core/proxy/whole-exchange.ts';
import { TraceWriter } from '../../../electron/core/trace/trace-writer.ts';

it.each([
  ['0-4', 0],
  ['120-129', 120],
  ['bytes 0-4/5', undefined],
  ['0-', undefined],
  ['-4', undefined],
  ['0--1', undefined],
  ['1e3-2000', undefined],
  ['9999999999999999-1', undefined],
  [undefined, undefined],
])('the range %j starts at %j', (range, start) => expect(rangeStart(range)).toBe(start));

/** A trace in memory, written as a file is. */
function memoryTrace() {
  let bytes = Buffer.alloc(0);
  const file = {
    write: async (more: Uint8Array, atByte: number) => {
      const grown = Buffer.alloc(Math.max(bytes.length, atByte + more.length));
      bytes.copy(grown);
      grown.set(more, atByte);
      bytes = grown;
    },
    truncate: async () => {},
    sync: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const trace = new TraceWriter({ file, sizeBytes: 0, gaps: [], saveGaps: async () => {}, onClose: () => {} });
  return { trace, text: () => bytes.toString('latin1') };
}

/**
 * A run of a trace: the runner sends on from where GitLab's last answer that reached it left it; each step may lose
 * the request, the answer on its way to us, or the process between GitLab and the runner.
 */
type Step = { sendBytes: number; fate: 'answered' | 'request-lost' | 'answer-lost' | 'server-error' | 'killed' };

it('holds byte for byte what GitLab holds, whatever is lost on the way', async () => {
  const steps = fc.array(
    fc.record<Step>({
      sendBytes: fc.integer({ min: 1, max: 20 }),
      fate: fc.constantFrom('answered', 'answered', 'request-lost', 'answer-lost', 'server-error', 'killed'),
    }),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const output = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(40);
      const { trace, text } = memoryTrace();
      const newTap = (isUncertain: boolean) =>
        new TraceTap({ log: silentLog }, { trace, report: () => {}, isUncertain });
      let tap = newTap(false);
      let stored = '';
      let offset = 0;
      let triedBytes = 0;
      const send = async ({ sendBytes, fate }: Step) => {
        // A resend is never shorter: the runner's buffer only grows.
        triedBytes = Math.max(triedBytes, offset + sendBytes);
        const chunk = output.slice(offset, triedBytes);
        if (fate === 'request-lost') {
          await tap.sawAnswer(offset, Buffer.from(chunk), { kind: 'unanswered', error: new Error('lost') });
          return;
        }
        if (fate === 'server-error') {
          await tap.sawAnswer(offset, Buffer.from(chunk), anAnswer(500, stored.length));
          return;
        }
        const isTaken = offset === stored.length;
        if (isTaken) stored += chunk;
        // The process that would have kept it is gone, and another goes on with the same file.
        if (fate === 'killed') {
          tap = newTap(true);
          return;
        }
        if (fate === 'answer-lost') {
          await tap.sawAnswer(offset, Buffer.from(chunk), { kind: 'unanswered', error: new Error('lost') });
          return;
        }
        await tap.sawAnswer(offset, Buffer.from(chunk), anAnswer(isTaken ? 202 : 416, stored.length));
        offset = stored.length;
      };
      for (const step of all) await send(step);
      // The runner does not end before its trace is acknowledged.
      await send({ sendBytes: 1, fate: 'answered' });
      expect([text(), trace.gaps]).toEqual([stored, []]);
    }),
    { numRuns: 500 },
  );
});

function anAnswer(status: number, storedBytes: number): WholeAnswer {
  return { kind: 'answered', status, headers: { range: `0-${storedBytes}` }, body: Buffer.alloc(0) };
}
