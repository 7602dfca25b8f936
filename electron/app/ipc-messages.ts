import { z } from 'zod';

/**
 * What the preload adds to the contract's names. `page` is a random number of one loaded document: when another one
 * speaks from the same window, the streams of the former have nobody left to listen. `stream` counts within a page.
 */
const page = z.int().nonnegative().max(0xffff_ffff);
const stream = z.int().positive();

export const callMessageSchema = z.object({ name: z.string().max(100), input: z.unknown() });
export type CallMessage = z.infer<typeof callMessageSchema>;

export const listenMessageSchema = z.object({ page, stream, name: z.string().max(100) });
export type ListenMessage = z.infer<typeof listenMessageSchema>;

/** Of `unlisten`, and of `taken`. */
export const streamMessageSchema = z.object({ page, stream });
export type StreamMessage = z.infer<typeof streamMessageSchema>;

/** Pushed to the page. */
export interface EventMessage extends StreamMessage {
  event: unknown;
}

/** Sent by the page for each event it has handled; see `PageStream`. Beside the channels of `contract/preload.ts`. */
export const takenChannel = 'bench:taken';
