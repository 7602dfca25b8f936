/**
 * What the Electron executable does on a start, with Node and Chromium: takes the same command line, opens the two
 * debugging ports that Playwright waits for, makes `electron` importable, runs the app's main script, becomes ready.
 */
import { readFileSync, statSync } from 'node:fs';
import inspector from 'node:inspector';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { appDouble } from './app.ts';
import { chromium } from './chromium.ts';
import { electronVersion } from './page.ts';
import { protocolDouble } from './session.ts';

const packageSchema = z.object({
  name: z.string().default('Electron'),
  productName: z.string().optional(),
  version: z.string().default('0.0.0'),
  main: z.string().default('index.js'),
});

const [executable = 'electron', ...rest] = process.argv.slice(2);
const { preloads, switches, appPath } = readCommandLine(rest);
const { directory, mainPath, name, version } = readApp(appPath);

process.argv = [executable, ...rest];
Object.defineProperties(process, {
  type: { value: 'browser' },
  defaultApp: { value: true },
  resourcesPath: { value: dirname(executable) },
});
Object.defineProperty(process.versions, 'electron', { value: electronVersion });
appDouble.adopt({ directory, name, version });

const moduleUrl = new URL('electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' || specifier === 'electron/main'
      ? { url: moduleUrl, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
});

if (switches.some((name) => name.startsWith('--inspect'))) inspector.open(0, '127.0.0.1');
const isWatched = switches.includes('--remote-debugging-port=0');
const devtoolsUrl = isWatched ? (await chromium()).devtoolsUrl : undefined;
const require = createRequire(import.meta.url);
for (const path of preloads) require(path);
// Only now: Playwright calls what its own preload defines as soon as it has read both addresses.
if (devtoolsUrl !== undefined) process.stderr.write(`DevTools listening on ${devtoolsUrl}\n`);
// The windows' own file has to be there before any of them, also when the app imports it late.
await import('./browser-window.ts');
await import(pathToFileURL(mainPath).href);
protocolDouble.ready();
appDouble.begin();

function readCommandLine(args: readonly string[]): { preloads: string[]; switches: string[]; appPath: string } {
  const preloads: string[] = [];
  const switches: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '-r' || arg === '--require') {
      index += 1;
      preloads.push(resolve(args[index] ?? ''));
    } else if (arg.startsWith('-')) switches.push(arg);
    else return { preloads, switches, appPath: resolve(arg) };
  }
  throw new Error('electron double: no app given');
}

function readApp(path: string): { directory: string; mainPath: string; name: string; version: string } {
  if (!statSync(path).isDirectory()) {
    return { directory: dirname(path), mainPath: path, name: 'Electron', version: '0.0.0' };
  }
  const { main, name, productName, version } = packageSchema.parse(
    JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')),
  );
  return { directory: path, mainPath: join(path, main), name: productName ?? name, version };
}
