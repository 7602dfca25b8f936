import { z } from 'zod';

/**
 * What QEMU says on its control socket, and nothing more than we use: unknown fields are passed over, known ones checked.
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */

const text = z.string().max(1000);

export const greetingSchema = z.object({
  QMP: z.object({
    version: z.object({ qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }) }),
  }),
});

const answerSchema = z.union([
  z.object({ id: z.int(), return: z.unknown() }),
  z.object({ id: z.int().optional(), error: z.object({ class: text, desc: z.string() }) }),
]);
export type QmpAnswer = z.infer<typeof answerSchema>;

/** Events we act on or note; `name` is QEMU's word. */
const eventSchema = z.discriminatedUnion('name', [
  /** QEMU is about to end; `reason` is `guest-shutdown`, `guest-reset`, `guest-panic`, `host-qmp-quit`, ... */
  z.object({ name: z.literal('SHUTDOWN'), data: z.object({ guest: z.boolean(), reason: text.default('') }) }),
  /** The guest's power button was pressed; whether the guest cares is its own affair. */
  z.object({ name: z.literal('POWERDOWN') }),
  z.object({ name: z.literal('STOP') }),
  z.object({ name: z.literal('RESUME') }),
  z.object({ name: z.literal('RESET'), data: z.object({ guest: z.boolean(), reason: text.default('') }) }),
  z.object({ name: z.literal('GUEST_PANICKED'), data: z.object({ action: text }) }),
  z.object({ name: z.literal('WATCHDOG'), data: z.object({ action: text }) }),
  z.object({
    name: z.literal('BLOCK_IO_ERROR'),
    data: z.object({
      operation: text,
      /** `stop`: the machine is paused; `report`: the guest was told; `ignore`. */
      action: text,
      /** The host's disk is full. */
      nospace: z.boolean().default(false),
      reason: text.default(''),
    }),
  }),
]);
export type QmpEvent = z.infer<typeof eventSchema>;

export type QmpMessage =
  | { kind: 'answer'; answer: QmpAnswer }
  | { kind: 'event'; event: QmpEvent }
  /** An event we have no use for. */
  | { kind: 'other' };

const anyEventSchema = z.object({ event: text, data: z.unknown().optional() });
const knownEvents: ReadonlySet<string> = new Set(eventSchema.options.map((option) => option.shape.name.value));

/**
 * Parses one line.
 * @throws SyntaxError or ZodError where it is no message of the protocol.
 */
export function parseQmpMessage(line: string): QmpMessage {
  const value: unknown = JSON.parse(line);
  const event = anyEventSchema.safeParse(value);
  if (!event.success) return { kind: 'answer', answer: answerSchema.parse(value) };
  const { event: name, data } = event.data;
  if (!knownEvents.has(name)) return { kind: 'other' };
  return { kind: 'event', event: eventSchema.parse({ name, data }) };
}
