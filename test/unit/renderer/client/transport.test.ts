import { describe, expect, it, vi } from 'vitest';
import { BenchError } from '../../../../electron/contract/errors.ts';
import type { RunId } from '../../../../electron/contract/ids.ts';
import type { PreloadBench } from '../../../../electron/contract/preload.ts';
import { createClient } from '../../../../electron/contract/transport.ts';
import { createTransport, webSocketUrl } from '../../../../renderer/client/create-transport.ts';
import { createWebSocketTransport } from '../../../../renderer/client/web-socket-transport.ts';
import { aBenchState } from '../../../fakes/bench-state.ts';
import { serveScreen } from '../../../fakes/screen-server.ts';
import { ScriptedBench } from '../../../fakes/scripted-bench.ts';

const runId = '0a1b2c3d' as RunId;

async function connected() {
  const bench = new ScriptedBench();
  const server = await serveScreen(bench.server, null);
  const transport = createWebSocketTransport(server.webSocketUrl);
  return {
    bench,
    server,
    client: createClient(transport),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('createWebSocketTransport', () => {
  it('carries a call and its answer', async () => {
    await using to = await connected();
    to.bench.appendTrace(runId, 'hello');
    expect(await to.client.call('trace.read', { runId, fromByte: 1 })).toEqual({
      fromByte: 1,
      sizeBytes: 5,
      base64: Buffer.from('ello').toString('base64'),
    });
  });

  it('carries an error with its code and remedy', async () => {
    await using to = await connected();
    const refusal = new BenchError('lending/locked', 'Lending is locked', { remedy: 'Unlock it.' });
    to.bench.refuseNext('lending.set', refusal);
    await expect(to.client.call('lending.set', { isEnabled: false })).rejects.toMatchObject({
      code: 'lending/locked',
      message: 'Lending is locked',
      remedy: 'Unlock it.',
    });
  });

  it('carries many calls at once over one connection', async () => {
    await using to = await connected();
    to.bench.appendTrace(runId, '0123456789');
    const places = Array.from({ length: 10 }, (_, at) => at);
    const slices = await Promise.all(
      places.map((fromByte) => to.client.call('trace.read', { runId, fromByte, maxBytes: 1 })),
    );
    const read = slices.map(({ base64 }) => Buffer.from(base64, 'base64').toString());
    expect([read.join(''), to.server.connectionCount()]).toEqual(['0123456789', 1]);
  });

  it('carries a stream until it is closed', async () => {
    await using to = await connected();
    const seqs: number[] = [];
    const stream = to.client.listen('bench.events', (event) => seqs.push(event.seq));
    await vi.waitFor(() => expect(seqs).toEqual([0]));
    to.bench.push({ kind: 'problem-solved', id: 'none' });
    await vi.waitFor(() => expect(seqs).toEqual([0, 1]));
    stream[Symbol.dispose]();
    await vi.waitFor(() => expect(to.bench.listenerCount).toBe(0));
    to.bench.push({ kind: 'problem-solved', id: 'none' });
    await to.client.call('capacity.set', aBenchState().capacity.lent);
    expect(seqs).toEqual([0, 1]);
  });

  it('tells streams and calls when the connection is lost, and connects anew for the next one', async () => {
    await using to = await connected();
    const ends: string[] = [];
    const listen = () =>
      to.client.listen(
        'bench.events',
        () => {},
        (error) => ends.push(error.code),
      );
    using _first = listen();
    await vi.waitFor(() => expect(to.bench.listenerCount).toBe(1));
    to.server.cutConnections();
    await vi.waitFor(() => expect(ends).toEqual(['transport/closed']));
    using _second = listen();
    await vi.waitFor(() => expect(to.bench.listenerCount).toBe(1));
    expect(await to.client.call('lending.set', { isEnabled: true })).toBeNull();
  });

  it('rejects a call whose answer can no longer come', async () => {
    const waiting = Promise.withResolvers<null>();
    const bench = new ScriptedBench();
    await using server = await serveScreen(
      { ...bench.server, answer: async () => ({ ok: true, value: await waiting.promise }) },
      null,
    );
    using transport = createWebSocketTransport(server.webSocketUrl);
    const call = createClient(transport).call('lending.set', { isEnabled: true });
    const refused = expect(call).rejects.toMatchObject({ code: 'transport/closed' });
    await vi.waitFor(() => expect(server.connectionCount()).toBe(1));
    server.cutConnections();
    await refused;
    waiting.resolve(null);
  });

  it('says that the bench does not answer when it was never connected', async () => {
    await using to = await connected();
    to.server.isWelcoming = false;
    await expect(to.client.call('lending.set', { isEnabled: true })).rejects.toMatchObject({
      code: 'transport/closed',
      message: 'The bench does not answer',
    });
  });

  it('ends a stream that the core does not have with the reason', async () => {
    await using to = await connected();
    using transport = createWebSocketTransport(to.server.webSocketUrl);
    const ended = Promise.withResolvers<BenchError>();
    using _stream = transport.listen('bench.gossip', () => {}, ended.resolve);
    expect((await ended.promise).code).toBe('contract/unknown-name');
  });

  it('gives up a connection that does not keep to the contract', async () => {
    const bench = new ScriptedBench();
    await using server = await serveScreen(
      {
        ...bench.server,
        open: (_name, onEvent) => {
          onEvent({ type: 'gossip' });
          return { [Symbol.dispose]() {} };
        },
      },
      null,
    );
    using transport = createWebSocketTransport(server.webSocketUrl);
    const ended = Promise.withResolvers<BenchError>();
    using _stream = createClient(transport).listen('bench.events', () => {}, ended.resolve);
    expect((await ended.promise).code).toBe('transport/unreadable');
  });
});

describe('createTransport', () => {
  it('takes what the preload put on the window, where it did', async () => {
    const calls: unknown[] = [];
    const bench: PreloadBench = {
      call: async (name, input) => {
        calls.push([name, input]);
        return { ok: true, value: null };
      },
      listen: (_name, onEvent) => {
        onEvent({ type: 'snapshot', seq: 4, state: aBenchState() });
        return () => calls.push('unlistened');
      },
    };
    const client = createClient(createTransport({ bench, location: { protocol: 'app:', host: 'bench' } }));
    await client.call('lending.set', { isEnabled: true });
    const seqs: number[] = [];
    const stream = client.listen('bench.events', (event) => seqs.push(event.seq));
    stream[Symbol.dispose]();
    stream[Symbol.dispose]();
    expect([calls, seqs]).toEqual([[['lending.set', { isEnabled: true }], 'unlistened'], [4]]);
  });

  it('ends a stream of the preload whose events it cannot read', () => {
    let isOpen = true;
    let push: (event: unknown) => void = () => {};
    const bench: PreloadBench = {
      call: async () => ({ ok: true, value: null }),
      listen: (_name, onEvent) => {
        push = onEvent;
        return () => {
          isOpen = false;
        };
      },
    };
    const client = createClient(createTransport({ bench, location: { protocol: 'app:', host: 'bench' } }));
    const codes: string[] = [];
    using _stream = client.listen(
      'bench.events',
      () => {},
      (error) => codes.push(error.code),
    );
    push({ type: 'gossip' });
    push({ type: 'gossip' });
    expect([codes, isOpen]).toEqual([['transport/unreadable'], false]);
  });

  it.each([
    [{ protocol: 'http:', host: '127.0.0.1:7777' }, 'ws://127.0.0.1:7777/bench'],
    [{ protocol: 'https:', host: 'bench.example' }, 'wss://bench.example/bench'],
  ])('reaches the origin of %j', (location, url) => {
    expect(webSocketUrl(location)).toBe(url);
  });
});
