#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { openBench } from '../core/bench.ts';
import { ImageCatalogue } from '../core/images/image-catalogue.ts';
import { main } from './main.ts';
import { processShell } from './shell.ts';
import { processStopSignals } from './stop-signals.ts';

// Two folders up is the product's own folder, for the source (electron/headless) and the bundle (dist/headless) alike.
const root = fileURLToPath(new URL('../../', import.meta.url));
const recipesDirectory = join(root, 'vm-images');
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));

using signals = processStopSignals();
process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  workingDirectory: process.cwd(),
  version,
  rendererDirectory: join(root, 'dist/renderer'),
  shell: processShell(),
  signals,
  openBench: (options) => openBench({ ...options, recipesDirectory }),
  openCatalogue: (deps, { cache }) => new ImageCatalogue(deps, { recipesDirectory, cacheDirectory: cache }),
});
