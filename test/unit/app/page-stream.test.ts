import { describe, expect, it } from 'vitest';
import { backlogLimit, PageStream } from '../../../electron/app/page-stream.ts';

/** A stream of the core whose snapshots are numbered by their opening. */
function aSource() {
  const listeners = new Set<(event: unknown) => void>();
  const source = {
    openedCount: 0,
    get listenerCount() {
      return listeners.size;
    },
    open(onEvent: (event: unknown) => void): Disposable {
      source.openedCount += 1;
      onEvent(`snapshot ${source.openedCount}`);
      listeners.add(onEvent);
      return { [Symbol.dispose]: () => listeners.delete(onEvent) };
    },
    emit(event: unknown) {
      for (const listener of [...listeners]) listener(event);
    },
  };
  return source;
}

function aStream(source = aSource()) {
  const sent: unknown[] = [];
  const stream = new PageStream({ open: (onEvent) => source.open(onEvent), send: (event) => sent.push(event) });
  return { source, sent, stream };
}

describe('PageStream', () => {
  it('sends the snapshot and what follows', () => {
    const { source, sent } = aStream();
    source.emit('delta 1');
    source.emit('delta 2');
    expect(sent).toEqual(['snapshot 1', 'delta 1', 'delta 2']);
  });

  it('closes the stream of a page that leaves its events unhandled', () => {
    const { source, sent } = aStream();
    for (let count = 0; count < backlogLimit + 10; count += 1) source.emit(count);
    expect(sent).toHaveLength(backlogLimit);
    expect(source.listenerCount).toBe(0);
  });

  it('begins with a new snapshot once the page has caught up', () => {
    const { source, sent, stream } = aStream();
    for (let count = 0; count < backlogLimit + 10; count += 1) source.emit(count);
    for (let count = 1; count < backlogLimit; count += 1) stream.taken();
    expect(source.openedCount).toBe(1);
    stream.taken();
    source.emit('after');
    expect(sent.slice(backlogLimit)).toEqual(['snapshot 2', 'after']);
  });

  it('goes on for ever with a page that handles its events', () => {
    const { source, sent, stream } = aStream();
    for (let count = 0; count < 10 * backlogLimit; count += 1) {
      stream.taken();
      source.emit(count);
    }
    expect(sent).toHaveLength(10 * backlogLimit + 1);
    expect(source.openedCount).toBe(1);
  });

  it('sends nothing more once it is closed, and stays closed', () => {
    const { source, sent, stream } = aStream();
    stream[Symbol.dispose]();
    stream[Symbol.dispose]();
    source.emit('delta');
    stream.taken();
    expect(sent).toEqual(['snapshot 1']);
    expect(source.listenerCount).toBe(0);
  });

  it('closes a stream that is disposed of while it opens', () => {
    const source = aSource();
    const sent: unknown[] = [];
    let stream: PageStream | undefined;
    let isFirst = true;
    stream = new PageStream({
      open: (onEvent) => source.open(onEvent),
      send: (event) => {
        sent.push(event);
        if (!isFirst) stream?.[Symbol.dispose]();
        isFirst = false;
      },
    });
    for (let count = 0; count < backlogLimit + 10; count += 1) source.emit(count);
    expect(sent).toEqual(['snapshot 1', 0]);
    expect(source.listenerCount).toBe(0);
  });

  it('passes on that a stream could not be opened', () => {
    const refused = new Error('no such stream');
    const open = () => {
      throw refused;
    };
    expect(() => new PageStream({ open, send: () => {} })).toThrow(refused);
  });
});
