// Format, lint and types of everything: what CI runs before any test. Exit code 0 only if all are clean.
import { spawnSync } from 'node:child_process';

const projects = ['electron/contract', 'electron', 'renderer', 'test'];
const commands: [string, string[]][] = [
  ['biome', ['check', '--error-on-warnings', '.']],
  ...projects.map((project): [string, string[]] => ['tsc', ['-p', project]]),
];

let failedCount = 0;
for (const [program, args] of commands) {
  const startedAt = performance.now();
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${program} ${args.join(' ')} (${took})`);
  if (status !== 0) failedCount += 1;
}
process.exitCode = failedCount === 0 ? 0 : 1;
