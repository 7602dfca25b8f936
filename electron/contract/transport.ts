import { z } from 'zod';
import {
  type CallInput,
  type CallName,
  type CallOutput,
  callNames,
  contract,
  type ParsedInput,
  type StreamEvent,
  type StreamName,
  streamNames,
} from './contract.ts';
import { BenchError, fromWireError, toWireError, wireErrorSchema } from './errors.ts';

/** What carries a call: Electron IPC, a WebSocket, or a direct function in tests. */
export interface Transport {
  /** Resolves with an `Answer`; rejects with `transport/closed` when the carrier is gone. */
  call(name: string, input: unknown): Promise<unknown>;
  /** Starts a stream; its first event is a snapshot. `onEnd` is called once when the carrier is gone. */
  listen(name: string, onEvent: (event: unknown) => void, onEnd?: (error: BenchError) => void): Disposable;
}

/** How every call is answered, on every transport. */
export const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: wireErrorSchema }),
]);
export type Answer = z.infer<typeof answerSchema>;

export type BenchClient = {
  call<K extends CallName>(name: K, input: CallInput<K>): Promise<CallOutput<K>>;
  listen<K extends StreamName>(
    name: K,
    onEvent: (event: StreamEvent<K>) => void,
    onEnd?: (error: BenchError) => void,
  ): Disposable;
};

export type CallHandlers = { [K in CallName]: (input: ParsedInput<K>) => Promise<CallOutput<K>> };
export type StreamHandlers = { [K in StreamName]: (onEvent: (event: StreamEvent<K>) => void) => Disposable };
export interface BenchHandlers {
  calls: CallHandlers;
  streams: StreamHandlers;
}

/** The calling side. Parses what comes back; an error arrives as a `BenchError` with its code and remedy. */
export function createClient(transport: Transport): BenchClient {
  return {
    async call(name, input) {
      const answer = answerSchema.parse(await transport.call(name, input));
      if (!answer.ok) throw fromWireError(answer.error);
      return contract[name].output.parse(answer.value) as CallOutput<typeof name>;
    },
    listen(name, onEvent, onEnd) {
      const { event } = contract[name];
      return transport.listen(name, (raw) => onEvent(event.parse(raw) as StreamEvent<typeof name>), onEnd);
    },
  };
}

/** The answering side, behind any transport: checks the name, then the input, then calls the handler. */
export interface Server {
  answer(name: unknown, input: unknown): Promise<Answer>;
  /** @throws BenchError `contract/unknown-name` for a stream that the contract does not have. */
  open(name: unknown, onEvent: (event: unknown) => void): Disposable;
}

export function serve(handlers: BenchHandlers): Server {
  return {
    async answer(name, input) {
      try {
        const known = callNames.find((candidate) => candidate === name);
        if (known === undefined) throw unknownName(name);
        const parsed = contract[known].input.safeParse(input);
        if (!parsed.success) throw badInput(known, parsed.error);
        const handler = handlers.calls[known] as (value: unknown) => Promise<unknown>;
        return { ok: true, value: contract[known].output.parse(await handler(parsed.data)) };
      } catch (error) {
        return { ok: false, error: toWireError(error) };
      }
    },
    open(name, onEvent) {
      const known = streamNames.find((candidate) => candidate === name);
      if (known === undefined) throw unknownName(name);
      return handlers.streams[known](onEvent);
    },
  };
}

function unknownName(name: unknown): BenchError {
  return new BenchError('contract/unknown-name', `The bench has no call or stream named ${JSON.stringify(name)}`, {
    remedy: 'The window is older or newer than the core. Reload it.',
  });
}

function badInput(name: string, error: z.ZodError): BenchError {
  return new BenchError('contract/bad-input', `${name}: ${z.prettifyError(error)}`, {
    remedy: 'Correct the value. If you did not type it, reload the window.',
  });
}
