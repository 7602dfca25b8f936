import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, buildHeadless } from '../../../electron/build.ts';
import { callNames, streamNames } from '../../../electron/contract/contract.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

describe('the bundles', () => {
  it('hold the preload in one small script that requires electron only and knows the names of the contract', async () => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'main.ts'), "import { app } from 'electron';\napp.exit(0);\n");
    await buildApp(join(folder.path, 'main.ts'), join(folder.path, 'out'));
    const preload = await readFile(join(folder.path, 'out/preload.cjs'), 'utf8');
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron']);
    expect(preload.length).toBeLessThan(8_000);
    for (const name of [...callNames, ...streamNames]) expect(preload).toContain(`"${name}"`);
    const main = await readFile(join(folder.path, 'out/main.mjs'), 'utf8');
    expect(main).toContain('from "electron"');
  });

  it('fail where the headless shell would import electron, naming the file', async () => {
    await using folder = await temporaryDirectory();
    await mkdir(join(folder.path, 'core'));
    await writeFile(join(folder.path, 'core/deep.ts'), "export { app } from 'electron';\n");
    await writeFile(join(folder.path, 'cli.ts'), "#!/usr/bin/env node\nimport './core/deep.ts';\n");
    const built = buildHeadless(join(folder.path, 'cli.ts'), join(folder.path, 'out'));
    await expect(built).rejects.toThrow(/core\/deep\.ts imports electron, which headless does not have/);
  });

  it('make the headless shell a program', async () => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'cli.ts'), "#!/usr/bin/env node\nconsole.log('hello');\n");
    await buildHeadless(join(folder.path, 'cli.ts'), join(folder.path, 'out'));
    const text = await readFile(join(folder.path, 'out/cli.mjs'), 'utf8');
    expect(text.split('\n')[0]).toBe('#!/usr/bin/env node');
  });

  it('fail where the headless shell would not be a program', async () => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'cli.ts'), "console.log('hello');\n");
    const built = buildHeadless(join(folder.path, 'cli.ts'), join(folder.path, 'out'));
    await expect(built).rejects.toThrow(/does not begin with #!/);
  });
});
