import { readFileSync } from 'node:fs';

export type ProbeResult = 'passes' | 'hangs' | 'denied' | 'aborts';

/** What a fake QEMU is asked to be and do. */
export interface Behaviour {
  /** As `--version` prints it. */
  version: string;
  hasSandbox: boolean;
  netdevs: string[];
  /** How the guest of the accelerator probe fares. */
  probe: { kvm: ProbeResult; tcg: ProbeResult };
  /** Ends before it makes a socket. */
  diesAtOnce: { exitCode: number; stderr: string } | null;
  /** What answers on the QMP socket: QEMU, nothing at all, or something else. */
  qmp: 'normal' | 'silent' | 'garbage';
  ignoresPowerdown: boolean;
  /** Answers `quit` and goes on. */
  ignoresQuit: boolean;
  /** What the guest does once it runs. `guest`, where there is one, plays its part in the first case only. */
  boot: 'boots' | 'never' | 'panics' | 'reports-panic' | 'powers-off' | 'resets' | 'fills-disk' | 'breaks' | 'crashes';
  /** Path of a module that exports `guest`, see `guest.ts`. */
  guest: string | null;
}

const usual: Behaviour = {
  version: '7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)',
  hasSandbox: true,
  netdevs: ['socket', 'hubport', 'tap', 'user'],
  probe: { kvm: 'passes', tcg: 'passes' },
  diesAtOnce: null,
  qmp: 'normal',
  ignoresPowerdown: false,
  ignoresQuit: false,
  boot: 'boots',
  guest: null,
};

/**
 * What is asked of this fake now: `FAKE_QEMU_BEHAVIOUR` (JSON), `FAKE_QEMU_GUEST` (a path) and, above both, the JSON
 * file named by `FAKE_QEMU_CONTROL`, which is read anew at every decision.
 * @throws where something is asked that no fake can do, so that a misspelt test does not pass.
 */
export function currentBehaviour(env: NodeJS.ProcessEnv): Behaviour {
  const control = env['FAKE_QEMU_CONTROL'];
  const asked: object = {
    ...JSON.parse(env['FAKE_QEMU_BEHAVIOUR'] ?? '{}'),
    ...(env['FAKE_QEMU_GUEST'] ? { guest: env['FAKE_QEMU_GUEST'] } : {}),
    ...(control === undefined ? {} : JSON.parse(readFileSync(control, 'utf8'))),
  };
  const unknown = Object.keys(asked).filter((key) => !(key in usual));
  if (unknown.length > 0) throw new Error(`a fake QEMU cannot be told ${unknown.join(', ')}`);
  return { ...usual, ...asked };
}
