import { z } from 'zod';
import { wireErrorSchema } from './errors.ts';
import { answerSchema } from './transport.ts';

/** Chosen by the calling side; unique among its calls and streams that are open. */
const messageId = z.int().nonnegative();

/** What a screen sends over a WebSocket, one JSON text a message. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('call'), id: messageId, name: z.string().max(100), input: z.unknown().optional() }),
  z.object({ type: z.literal('listen'), id: messageId, name: z.string().max(100) }),
  z.object({ type: z.literal('unlisten'), id: messageId }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

/** What the core sends back. `end` closes a stream that could not be opened. */
export const serverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('answer'), id: messageId, answer: answerSchema }),
  z.object({ type: z.literal('event'), id: messageId, event: z.unknown() }),
  z.object({ type: z.literal('end'), id: messageId, error: wireErrorSchema }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

/** The path of the WebSocket, and its subprotocol, which names the version of these messages. */
export const webSocketPath = '/bench';
export const webSocketProtocol = 'forrest-bench.v1';
