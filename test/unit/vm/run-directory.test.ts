import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runIdSchema } from '../../../electron/contract/ids.ts';
import { checkSocketPaths, runPaths } from '../../../electron/core/vm/run-directory.ts';
import type { VmError } from '../../../electron/core/vm/vm-error.ts';

const runId = runIdSchema.parse('0badcafe');

it('names every file of a run', () => {
  const { reachSocket, ...paths } = runPaths({ runs: '/state/runs', sockets: '/run/fb' }, runId);
  expect({ ...paths, reach: [reachSocket(0), reachSocket(999)] }).toEqual({
    directory: '/state/runs/0badcafe',
    socketDirectory: '/run/fb/0badcafe',
    overlay: '/state/runs/0badcafe/overlay.qcow2',
    consoleLog: '/state/runs/0badcafe/console.log',
    qemuLog: '/state/runs/0badcafe/qemu.log',
    processRecord: '/state/runs/0badcafe/process.json',
    qmpSocket: '/run/fb/0badcafe/q',
    consoleSocket: '/run/fb/0badcafe/c',
    proxySocket: '/run/fb/0badcafe/p',
    egressSocket: '/run/fb/0badcafe/e',
    reach: ['/run/fb/0badcafe/r0', '/run/fb/0badcafe/r999'],
  });
  for (const index of [-1, 1000, 0.5]) expect(() => reachSocket(index)).toThrow(RangeError);
});

it('lets sockets be 107 bytes long and not one more, counted in bytes', () => {
  // "/00000000/r999" has 14 bytes, and each of these letters two.
  const longest = `/${'ä'.repeat(46)}`;
  expect(Buffer.byteLength(join(longest, '00000000', 'r999'))).toBe(107);
  checkSocketPaths({ runs: '/', sockets: longest });
  let error: VmError | undefined;
  try {
    checkSocketPaths({ runs: '/', sockets: `${longest}y` });
  } catch (caught) {
    error = caught as VmError;
  }
  expect({ code: error?.code, remedy: error?.remedy }).toEqual({
    code: 'vm/path-too-long',
    remedy: 'Set XDG_RUNTIME_DIR, or XDG_STATE_HOME, to a folder whose path is shorter, by 1 bytes or more.',
  });
});
