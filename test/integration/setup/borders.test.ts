import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

/** Faults planted in a tree that has our linter's settings: name, where, what, and the rule that must see it. */
const planted: [name: string, path: string, source: string, rule: string][] = [
  ['electron in the core', 'electron/core/vm/a.ts', "import { app } from 'electron';\napp;\n", 'noRestrictedImports'],
  ['electron in headless', 'electron/headless/a.ts', "import { app } from 'electron';\napp;\n", 'noRestrictedImports'],
  ['an import upwards', 'electron/core/vm/b.ts', "import { a } from '../jobs/a.ts';\na;\n", 'noRestrictedImports'],
  ['the wiring in a room', 'electron/core/jobs/b.ts', "import { a } from '../bench.ts';\na;\n", 'noRestrictedImports'],
  [
    'a room in the contract',
    'electron/contract/a.ts',
    "import { a } from '../core/vm/a.ts';\na;\n",
    'noRestrictedImports',
  ],
  ['Node in the contract', 'electron/contract/b.ts', "import { a } from 'node:fs';\na;\n", 'noRestrictedImports'],
  ['Node in the renderer', 'renderer/a.ts', "import { a } from 'node:fs';\na;\n", 'noRestrictedImports'],
  [
    'the core in the renderer',
    'renderer/ui/a.ts',
    "import { a } from '../../electron/core/a.ts';\na;\n",
    'noRestrictedImports',
  ],
  [
    'files outside platform',
    'electron/core/trace/a.ts',
    "import { a } from 'node:fs/promises';\na;\n",
    'noRestrictedImports',
  ],
  ['a timer outside platform', 'electron/core/jobs/c.ts', 'setTimeout(() => {}, 5);\n', 'noRestrictedGlobals'],
  [
    'a floating promise',
    'electron/core/jobs/d.ts',
    'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n',
    'noFloatingPromises',
  ],
  [
    'a missing case of a union',
    'electron/core/jobs/e.ts',
    "export function show(phase: 'a' | 'b'): void {\n  switch (phase) {\n    case 'a':\n      break;\n  }\n}\n",
    'useExhaustiveSwitchCases',
  ],
];
const allowed = ['electron/app/a.ts', "import { app } from 'electron';\n\napp.quit();\n"] as const;

let scope: AsyncDisposableStack;
let findings: { path: string; category: string }[];

beforeAll(async () => {
  scope = new AsyncDisposableStack();
  const root = scope.use(await temporaryDirectory()).path;
  const settings = JSON.parse(await readFile('biome.json', 'utf8'));
  // The planted tree is no git checkout.
  await writeFile(join(root, 'biome.json'), JSON.stringify({ ...settings, vcs: { enabled: false } }));
  for (const [path, source] of [...planted.map(([, path, source]) => [path, source] as const), allowed]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), source);
  }
  const biome = resolve('node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd: root,
    encoding: 'utf8',
  });
  const report: { diagnostics: { category: string; location: { path: string | { file: string } } }[] } =
    JSON.parse(stdout);
  findings = report.diagnostics.map(({ category, location }) => ({
    path: typeof location.path === 'string' ? location.path : location.path.file,
    category,
  }));
});
afterAll(() => scope.disposeAsync());

const rulesAt = (path: string) =>
  findings.filter((finding) => finding.path.endsWith(path)).map((finding) => finding.category.split('/').at(-1));

it.each(planted)('the linter refuses %s', (_name, path, _source, rule) => {
  expect(rulesAt(path)).toContain(rule);
});

it('the linter lets the app import electron', () => {
  expect(rulesAt(allowed[0])).toEqual([]);
});
