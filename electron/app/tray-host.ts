import type { PlatformDeps } from '../core/platform/deps.ts';

const watcher = 'org.kde.StatusNotifierWatcher';
const timeoutMs = 2_000;

/**
 * Whether this desktop shows tray items. On Linux a panel says so on the session bus (StatusNotifierItem
 * specification); stock GNOME has none. Elsewhere there always is one.
 */
export async function hasTrayHost(
  { processes }: Pick<PlatformDeps, 'processes'>,
  platform: NodeJS.Platform,
  signal?: AbortSignal,
): Promise<boolean> {
  if (platform !== 'linux') return true;
  const args = [
    ...['call', '--session', '--dest', watcher, '--object-path', '/StatusNotifierWatcher'],
    ...['--method', 'org.freedesktop.DBus.Properties.Get', watcher, 'IsStatusNotifierHostRegistered'],
  ];
  try {
    const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const { exitCode, stdout } = await processes.run('gdbus', args, options);
    return exitCode === 0 && stdout.includes('true');
  } catch {
    return false; // no gdbus: then there is hardly a panel either, and a window that shows does no harm
  }
}
