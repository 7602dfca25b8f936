import { readFileSync } from 'node:fs';
import { z } from 'zod';

const probeResultSchema = z.enum(['passes', 'hangs', 'denied', 'aborts']);

const schema = z.strictObject({
  version: z.string().default('7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)'),
  hasSandbox: z.boolean().default(true),
  netdevs: z.array(z.string()).default(['socket', 'hubport', 'tap', 'user']),
  /** How the guest of the accelerator probe fares. */
  probe: z.object({ kvm: probeResultSchema, tcg: probeResultSchema }).default({ kvm: 'passes', tcg: 'passes' }),
  /** Ends before it makes a socket. */
  diesAtOnce: z.object({ exitCode: z.int(), stderr: z.string() }).nullable().default(null),
  /** What answers on the QMP socket: QEMU, nothing at all, or something else. */
  qmp: z.enum(['normal', 'silent', 'garbage']).default('normal'),
  ignoresPowerdown: z.boolean().default(false),
  /** Answers `quit` and goes on. */
  ignoresQuit: z.boolean().default(false),
  /** What the guest does once it runs. `guest`, where there is one, plays its part in the first case only. */
  boot: z
    .enum(['boots', 'never', 'panics', 'reports-panic', 'powers-off', 'resets', 'fills-disk', 'breaks', 'crashes'])
    .default('boots'),
  /** Path of a module that exports `guest`, see `guest.ts`. */
  guest: z.string().nullable().default(null),
});
export type Behaviour = z.output<typeof schema>;

/**
 * What is asked of this fake now: `FAKE_QEMU_BEHAVIOUR` (JSON), `FAKE_QEMU_GUEST` (a path) and, above both, the JSON
 * file named by `FAKE_QEMU_CONTROL`, which is read anew at every decision.
 */
export function currentBehaviour(env: NodeJS.ProcessEnv): Behaviour {
  const control = env['FAKE_QEMU_CONTROL'];
  return schema.parse({
    ...JSON.parse(env['FAKE_QEMU_BEHAVIOUR'] ?? '{}'),
    ...(env['FAKE_QEMU_GUEST'] ? { guest: env['FAKE_QEMU_GUEST'] } : {}),
    ...(control === undefined ? {} : JSON.parse(readFileSync(control, 'utf8'))),
  });
}
