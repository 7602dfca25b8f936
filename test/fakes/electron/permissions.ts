import { chromium } from './chromium.ts';
import { sessionDouble } from './session.ts';
import { standIn } from './strict.ts';

/** Electron's names, and how Chromium's DevTools call the same. */
const descriptors = {
  'clipboard-sanitized-write': { name: 'clipboard-write' },
  'clipboard-read': { name: 'clipboard-read' },
  geolocation: { name: 'geolocation' },
  media: { name: 'camera' },
  notifications: { name: 'notifications' },
  midi: { name: 'midi' },
} as const;
type Permission = keyof typeof descriptors;
type CheckHandler = NonNullable<typeof sessionDouble.permissionCheckHandler>;

/** Lets Chromium answer pages of one origin as the app's check handler would, or grant what nobody checks. */
export async function grantPermissions(origin: string, url: string): Promise<void> {
  const { connection } = await chromium();
  const isGranted = sessionDouble.permissionCheckHandler;
  for (const permission of Object.keys(descriptors) as Permission[]) {
    const details = standIn<Parameters<CheckHandler>[3]>({ requestingUrl: url, isMainFrame: true });
    const setting = isGranted === null || isGranted(null, permission, url, details) ? 'granted' : 'denied';
    const request = { origin, permission: descriptors[permission], setting };
    await connection.browser.send('Browser.setPermission', request);
  }
}
