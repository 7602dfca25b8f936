import { EventEmitter } from 'node:events';
import type { IpcMain } from 'electron';
import { describe, expect, it } from 'vitest';
import { openIpcDoor } from '../../../electron/app/ipc.ts';
import { takenChannel } from '../../../electron/app/ipc-messages.ts';
import { backlogLimit } from '../../../electron/app/page-stream.ts';
import { ipcChannels } from '../../../electron/contract/preload.ts';
import { serve } from '../../../electron/contract/transport.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { DoubleIpcMain } from '../../fakes/electron/ipc-main.ts';
import { standIn } from '../../fakes/electron/strict.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';

type Event = Parameters<DoubleIpcMain['answer']>[1];

/** The contents of a window, with what was sent to them. */
class FakeContents extends EventEmitter {
  readonly id = 1;
  readonly sent: unknown[] = [];
  isGone = false;
  send(channel: string, message: unknown): void {
    expect(channel).toBe(ipcChannels.event);
    this.sent.push(message);
  }
  isDestroyed(): boolean {
    return this.isGone;
  }
}

const ourFrame: { url: string; parent: unknown } = { url: 'app://bench/index.html', parent: null };

function aDoor() {
  const ipcMain = new DoubleIpcMain();
  const bench = new FakeBench();
  const ours = new FakeContents();
  const door = openIpcDoor({
    ipcMain: standIn<IpcMain>(ipcMain),
    server: serve(bench.handlers),
    isOurs: (contents) => (contents as unknown) === ours,
    log: silentLog,
  });
  const event = (sender = ours, senderFrame: typeof ourFrame | null = ourFrame) =>
    standIn<Event>({ sender, senderFrame });
  const call = (name: unknown, input: unknown, from = event()) =>
    ipcMain.answer(ipcChannels.call, from, [{ name, input }]);
  const listen = (page: number, stream: number, name = 'bench.events', from = event()) =>
    ipcMain.answer(ipcChannels.listen, from, [{ page, stream, name }]);
  const say = (channel: string, message: unknown, from = event()) => ipcMain.emit(channel, from, message);
  return { ipcMain, bench, ours, door, event, call, listen, say };
}

describe('the door for messages of pages', () => {
  it('answers a call of our page', async () => {
    const { bench, call } = aDoor();
    expect(await call('lending.set', { isEnabled: false })).toEqual({ ok: true, value: null });
    expect(bench.state.lending.isEnabled).toBe(false);
  });

  it.each<[string, (door: ReturnType<typeof aDoor>) => Event]>([
    ['another window', ({ event }) => event(new FakeContents())],
    ['a frame within the page', ({ event, ours }) => event(ours, { ...ourFrame, parent: ourFrame })],
    ['a page of another origin', ({ event, ours }) => event(ours, { ...ourFrame, url: 'https://elsewhere.invalid/' })],
    ['a page that is gone', ({ event, ours }) => event(ours, null)],
  ])('refuses calls and streams of %s', async (_name, sender) => {
    const door = aDoor();
    const stranger = sender(door);
    const refusal = { ok: false, error: expect.objectContaining({ code: 'app/foreign-sender' }) };
    expect(await door.call('lending.set', { isEnabled: false }, stranger)).toEqual(refusal);
    expect(await door.listen(1, 1, 'bench.events', stranger)).toEqual(refusal);
    expect(door.bench.state.lending.isEnabled).toBe(true);
    expect(door.bench.streamCount).toBe(0);
  });

  it('lets no stranger end or steer a stream of our page', async () => {
    const { bench, event, listen, say } = aDoor();
    await listen(1, 1);
    say(ipcChannels.unlisten, { page: 1, stream: 1 }, event(new FakeContents()));
    expect(bench.streamCount).toBe(1);
  });

  it.each([undefined, null, 'lending.set', {}, { name: 7, input: null }, { name: 'x'.repeat(101), input: null }])(
    'refuses the message %j',
    async (message) => {
      const { event, ipcMain } = aDoor();
      const answer = await ipcMain.answer(ipcChannels.call, event(), [message]);
      expect(answer).toEqual({ ok: false, error: expect.objectContaining({ code: 'app/bad-message' }) });
    },
  );

  it('refuses a name that the contract does not have, then an input that does not fit', async () => {
    const { call } = aDoor();
    const unknown = { ok: false, error: expect.objectContaining({ code: 'contract/unknown-name' }) };
    expect(await call('shell.run', { command: 'id' })).toEqual(unknown);
    expect(await call('bench.events', null)).toEqual(unknown);
    const bad = { ok: false, error: expect.objectContaining({ code: 'contract/bad-input' }) };
    expect(await call('lending.set', { isEnabled: 'yes' })).toEqual(bad);
  });

  it('sends a stream to the page that asked, marked with its numbers', async () => {
    const { bench, listen, ours } = aDoor();
    expect(await listen(5, 3)).toEqual({ ok: true, value: null });
    await bench.setLending(false);
    expect(ours.sent).toEqual([
      { page: 5, stream: 3, event: expect.objectContaining({ type: 'snapshot' }) },
      { page: 5, stream: 3, event: expect.objectContaining({ type: 'delta', seq: 1 }) },
    ]);
  });

  it('answers that a stream does not exist', async () => {
    const { listen } = aDoor();
    const unknown = { ok: false, error: expect.objectContaining({ code: 'contract/unknown-name' }) };
    expect(await listen(1, 1, 'lending.set')).toEqual(unknown);
  });

  it('ends a stream when the page says so', async () => {
    const { bench, listen, ours, say } = aDoor();
    await listen(1, 1);
    await listen(1, 2);
    say(ipcChannels.unlisten, { page: 1, stream: 1 });
    expect(bench.streamCount).toBe(1);
    await bench.setLending(false);
    expect(ours.sent.slice(2)).toEqual([expect.objectContaining({ stream: 2 })]);
  });

  it('holds a stream whose page does not handle its events, and goes on when it does', async () => {
    const { bench, listen, ours, say } = aDoor();
    await listen(1, 1);
    for (let count = 0; count < backlogLimit + 5; count += 1) await bench.setLending(count % 2 === 0);
    expect(ours.sent).toHaveLength(backlogLimit);
    for (let count = 0; count < backlogLimit; count += 1) say(takenChannel, { page: 1, stream: 1 });
    expect(ours.sent.slice(backlogLimit)).toEqual([
      { page: 1, stream: 1, event: expect.objectContaining({ type: 'snapshot', seq: backlogLimit + 5 }) },
    ]);
  });

  it('ends the streams of a page that another one has replaced', async () => {
    const { bench, listen, ours } = aDoor();
    await listen(1, 1);
    await listen(2, 1);
    expect(bench.streamCount).toBe(1);
    expect(ours.sent.map((message) => (message as { page: number }).page)).toEqual([1, 2]);
  });

  it.each(['destroyed', 'render-process-gone'])('ends the streams of a page when it is gone: %s', async (event) => {
    const { bench, listen, ours } = aDoor();
    await listen(1, 1);
    ours.emit(event);
    expect(bench.streamCount).toBe(0);
  });

  it('sends nothing to contents that are destroyed already', async () => {
    const { bench, listen, ours } = aDoor();
    await listen(1, 1);
    ours.isGone = true;
    await bench.setLending(false);
    expect(ours.sent).toHaveLength(1);
  });

  it('opens so many streams and no more', async () => {
    const { bench, listen } = aDoor();
    const answers = [];
    for (let stream = 1; stream <= 17; stream += 1) answers.push(await listen(1, stream));
    expect(answers.at(-1)).toEqual({ ok: false, error: expect.objectContaining({ code: 'app/too-many-streams' }) });
    expect(bench.streamCount).toBe(16);
  });

  it('refuses a stream under a number that is in use', async () => {
    const { bench, listen } = aDoor();
    await listen(1, 1);
    expect(await listen(1, 1)).toEqual({
      ok: false,
      error: expect.objectContaining({ code: 'app/too-many-streams' }),
    });
    expect(bench.streamCount).toBe(1);
  });

  it('ends every stream and answers nothing once it is closed', async () => {
    const { bench, call, door, listen } = aDoor();
    await listen(1, 1);
    door[Symbol.dispose]();
    expect(bench.streamCount).toBe(0);
    await expect(call('lending.set', { isEnabled: false })).rejects.toThrow("No handler registered for 'bench:call'");
  });
});
