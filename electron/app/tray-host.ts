import type { PlatformDeps } from '../core/platform/deps.ts';

const watcher = 'org.kde.StatusNotifierWatcher';
const timeoutMs = 2_000;

const retryMs = 500;

/**
 * Whether this desktop shows tray items. On Linux a panel says so on the session bus (StatusNotifierItem
 * specification); stock GNOME has none. Elsewhere there always is one.
 * @param patienceMs How long to wait for a panel that may still be starting, at login for instance.
 */
export async function hasTrayHost(
  { clock, processes }: Pick<PlatformDeps, 'clock' | 'processes'>,
  platform: NodeJS.Platform,
  patienceMs = 0,
): Promise<boolean> {
  if (platform !== 'linux') return true;
  const endsAtMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    if (await isHostRegistered(processes)) return true;
    if (clock.monotonicMs() >= endsAtMs) return false;
    await clock.sleep(retryMs);
  }
}

async function isHostRegistered(processes: PlatformDeps['processes']): Promise<boolean> {
  const args = [
    ...['call', '--session', '--dest', watcher, '--object-path', '/StatusNotifierWatcher'],
    ...['--method', 'org.freedesktop.DBus.Properties.Get', watcher, 'IsStatusNotifierHostRegistered'],
  ];
  try {
    const { exitCode, stdout } = await processes.run('gdbus', args, { timeoutMs });
    return exitCode === 0 && stdout.includes('true');
  } catch {
    return false; // no gdbus: then there is hardly a panel either, and a window that shows does no harm
  }
}
