// `npm test`: checks, bundles, images, then every test. The last line is `N passed, N failed, N skipped`, also when a
// step before the tests fails: it then counts as one failure.
import { spawnSync } from 'node:child_process';

const steps: [string, string[]][] = [
  ['checks', ['resources/setup/check.ts']],
  ['bundles', ['electron/build.ts']],
  ['image smoke', ['electron/headless/cli.ts', 'images', 'build', 'smoke']],
  ['image debian-12', ['electron/headless/cli.ts', 'images', 'build', 'debian-12']],
];
const filters = process.argv.slice(2);

for (const [title, args] of steps) {
  console.log(`== ${title}`);
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.log(`${title} failed; no test was run\n\n0 passed, 1 failed, 0 skipped`);
    process.exit(1);
  }
}
console.log('== tests');
const { status } = spawnSync('vitest', ['run', '--config', 'test/vitest.config.ts', ...filters], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = status ?? 1;
