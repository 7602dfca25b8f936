import type { App, Session, WebContents } from 'electron';
import type { Log } from '../core/platform/log.ts';
import { isPageUrl, pageUrl } from './pages.ts';
import { isPermitted } from './permissions.ts';

export interface GuardOptions {
  log: Log;
  /** Developer tools load pages of their own; a packaged app has none. */
  hasDeveloperTools: boolean;
  /** A link was followed. Opens it elsewhere or does nothing. */
  onLink(url: string): void;
}

/** Guards whatever the app will ever open, so that a window made in a hurry is no weaker than the others. */
export function guardContents(app: App, options: GuardOptions): void {
  app.on('web-contents-created', (_event, contents) => guard(contents, options));
}

function guard(contents: WebContents, { log, onLink }: GuardOptions): void {
  // The page may load itself again (after an update of the core it says so); every other place is refused.
  contents.on('will-frame-navigate', (details) => {
    if (details.isMainFrame && details.url === pageUrl) return;
    details.preventDefault();
    log.warn({ url: loggable(details.url), isMainFrame: details.isMainFrame }, 'navigation refused');
    if (details.isMainFrame) onLink(details.url);
  });
  contents.on('will-redirect', (details) => {
    details.preventDefault();
    log.warn({ url: loggable(details.url) }, 'redirect refused');
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    log.info({ url: loggable(url) }, 'window refused');
    onLink(url);
    return { action: 'deny' };
  });
}

/** Permissions by table, and no request that leaves our own files. */
export function guardSession(session: Session, { log, hasDeveloperTools }: GuardOptions): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => {
    if (!isPermitted(permission)) log.warn({ permission }, 'permission refused');
    answer(isPermitted(permission));
  });
  session.setPermissionCheckHandler((_contents, permission) => isPermitted(permission));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest(({ url }, answer) => {
    const isAllowed = isPageUrl(url) || isInline(url) || (hasDeveloperTools && url.startsWith('devtools:'));
    if (!isAllowed) log.warn({ url: loggable(url) }, 'request refused');
    answer({ cancel: !isAllowed });
  });
}

/** Bytes that the page has already; they leave nothing and fetch nothing. The content security policy rules them. */
function isInline(url: string): boolean {
  return url.startsWith('data:') || url.startsWith('blob:');
}

/** Where to, without what: a query may carry what the page knows. */
function loggable(url: string): string {
  return url.replace(/[?#].*$/s, '').slice(0, 200);
}
