/**
 * `npm start`: the app with its window where Electron can run, else the same core without a screen.
 *
 *     npm start                        window and tray, or headless with a line that says why
 *     npm start -- --hidden            in the tray only
 *     npm start -- --headless          no window, although there could be one
 *     npm start -- --download          tries again to get Electron
 *     npm start -- --config FILE       another config file
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildAll } from './build.ts';
import { systemClock } from './core/platform/clock.ts';
import { systemProcesses } from './core/platform/processes.ts';
import { downloadElectron } from './electron-download.ts';
import { findElectron, headlessArguments, obstacleToWindow, type StartRequest, windowArguments } from './start-plan.ts';

const root = join(import.meta.dirname, '..');
const request: StartRequest = {
  args: process.argv.slice(2),
  env: process.env,
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
};

await buildAll({ isQuiet: true });
const start = await choose();
if (start.why !== undefined) say(`Running without a window: ${start.why}`);
process.exitCode = await runToEnd(start.program, start.args);

interface Start {
  program: string;
  args: string[];
  /** Why there is no window. */
  why?: string;
}

async function choose(): Promise<Start> {
  const why = obstacleToWindow(request);
  if (why !== undefined) return headless(why);
  const found = findElectron(root, process.env);
  if (found !== undefined) return windowed(found);
  const deps = { clock: systemClock, processes: systemProcesses };
  const result = await downloadElectron({ deps, root, isAsked: request.args.includes('--download'), say });
  if (result.kind === 'failed') {
    return headless(`Electron is not here, and ${result.why}. To try again: npm start -- --download`);
  }
  const downloaded = findElectron(root, process.env);
  return downloaded === undefined ? headless('Electron was downloaded and is not there') : windowed(downloaded);
}

function windowed(executable: string): Start {
  return { program: executable, args: [root, ...windowArguments(request.args)] };
}

function headless(why: string): Start {
  return {
    program: process.execPath,
    args: [join(root, 'dist/headless/cli.mjs'), ...headlessArguments(request.args)],
    why,
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a program with this terminal. An interrupt reaches it as well as us, and it decides; the rest is passed on. */
function runToEnd(program: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    process.on('SIGINT', () => {});
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
