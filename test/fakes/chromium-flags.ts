/** Debian's Chromium; `FORREST_BENCH_CHROMIUM` names another one. */
export const chromiumPath = process.env['FORREST_BENCH_CHROMIUM'] ?? '/usr/bin/chromium';

/**
 * What every Chromium of the tests is started with, by Playwright or by the Electron double: no sandbox because tests
 * may run as root, no GPU, and no traffic of its own. Even so Chromium looks up hosts of its maker; the resolver rule
 * lets nothing but loopback out.
 */
export const chromiumFlags: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-default-apps',
  '--disable-breakpad',
  '--disable-dev-shm-usage',
  '--password-store=basic',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];
