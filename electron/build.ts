/**
 * Builds what is shipped into `dist/`, with Vite for all of it: `node electron/build.ts [--force] [--quiet]`. A bundle
 * whose sources have not changed is left alone, so a second start takes no time. Quiet prints only what was built.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import type { InlineConfig, Plugin } from 'vite';
import { readStamps, sourceHash, writeStamp } from './build-stamp.ts';
import { callNames, streamNames } from './contract/contract.ts';

const root = join(import.meta.dirname, '..');

/** One folder of `dist`, and what it is made of. */
interface Bundle {
  name: string;
  /** Folders and files whose change makes it stale, relative to the root. */
  sources: readonly string[];
  build(outDirectory: string): Promise<void>;
}

const common = ['package-lock.json', 'electron/build.ts', 'electron/contract'];
const bundles: readonly Bundle[] = [
  {
    name: 'app',
    sources: [...common, 'electron/app', 'electron/core'],
    build: (outDirectory) => buildApp(join(root, 'electron/app/main.ts'), outDirectory),
  },
  {
    name: 'headless',
    sources: [...common, 'electron/headless', 'electron/core'],
    build: (outDirectory) => buildHeadless(join(root, 'electron/headless/cli.ts'), outDirectory),
  },
  {
    name: 'renderer',
    sources: [...common, 'renderer', 'resources/icons'],
    build: (outDirectory) =>
      run({ configFile: join(root, 'renderer/vite.config.ts'), build: { outDir: outDirectory } }),
  },
];

/**
 * Builds the Electron shell: the main process as `main.mjs`, the preload as `preload.cjs`.
 * @param entry What is run: `app/main.ts`, or a main script of the tests' own.
 */
export async function buildApp(entry: string, outDirectory: string): Promise<void> {
  await run(nodeBundle(entry, join(outDirectory, 'main.mjs'), ['electron', 'node-pty']));
  await run(preloadBundle(join(root, 'electron/app/preload.ts'), join(outDirectory, 'preload.cjs')));
}

/** Builds the headless shell as the program `cli.mjs`. */
export async function buildHeadless(entry: string, outDirectory: string): Promise<void> {
  const outFile = join(outDirectory, 'cli.mjs');
  await run(nodeBundle(entry, outFile, ['node-pty'], [withoutElectron(), executable()]));
  await chmod(outFile, 0o755);
}

export interface BuildOptions {
  /** Builds what has not changed, too. */
  isForced?: boolean;
  /** Says nothing of what has not changed. */
  isQuiet?: boolean;
}

/** Builds every bundle that is stale, printing a line for each. */
export async function buildAll({ isForced = false, isQuiet = false }: BuildOptions = {}): Promise<void> {
  const dist = join(root, 'dist');
  const stamps = readStamps(root);
  for (const bundle of bundles) {
    const hash = sourceHash(root, bundle.sources);
    const target = join(dist, bundle.name);
    if (!isForced && stamps[bundle.name] === hash && existsSync(target)) {
      if (!isQuiet) print(bundle.name, target, 'unchanged');
      continue;
    }
    const startedAt = performance.now();
    // Built aside and moved: what is being started from `dist` never meets half a bundle.
    const aside = join(dist, `.${bundle.name}-${process.pid}`);
    try {
      await bundle.build(aside);
      await replaceDirectory(aside, target);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
    writeStamp(root, bundle.name, hash);
    print(bundle.name, target, `${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }
}

/** Another build that runs at the same time may put its own there in between; the last one stays. */
async function replaceDirectory(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await rm(to, { recursive: true, force: true, maxRetries: 3 });
    try {
      return await rename(from, to);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function run(config: InlineConfig): Promise<void> {
  // Loaded only when there is something to build.
  const { build } = await import('vite');
  const { build: settings, ...others } = config;
  await build({
    logLevel: 'warn',
    ...others,
    build: { emptyOutDir: true, sourcemap: true, reportCompressedSize: false, ...settings },
  });
}

/** Everything in one ES module for Node 24, which is also Electron's. Native modules stay outside. */
function nodeBundle(entry: string, outFile: string, external: string[], plugins: Plugin[] = []): InlineConfig {
  return {
    root,
    configFile: false,
    plugins,
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      target: 'node24',
      outDir: dirname(outFile),
      rolldownOptions: {
        external,
        output: { format: 'es', entryFileNames: relative(dirname(outFile), outFile), codeSplitting: false },
      },
    },
  };
}

/** One CommonJS file that requires nothing but `electron`: all that a sandboxed preload may. */
function preloadBundle(entry: string, outFile: string): InlineConfig {
  return {
    root,
    configFile: false,
    plugins: [onlyElectron()],
    define: {
      contractCallNames: JSON.stringify(callNames),
      contractStreamNames: JSON.stringify(streamNames),
    },
    build: {
      target: 'chrome152',
      outDir: dirname(outFile),
      emptyOutDir: false,
      minify: false,
      modulePreload: false,
      lib: { entry, formats: ['cjs'], fileName: () => relative(dirname(outFile), outFile) },
      rolldownOptions: { external: ['electron', ...builtinModules] },
    },
  };
}

/** Fails where the core or the headless shell would bring Electron along. Of no use where `electron` is external. */
function withoutElectron(): Plugin {
  return {
    name: 'without-electron',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source !== 'electron' && !source.startsWith('electron/')) return;
      throw new Error(`${relative(root, importer ?? '?')} imports electron, which headless does not have`);
    },
  };
}

/** Fails where the preload would need a module that a sandboxed one cannot have. */
function onlyElectron(): Plugin {
  return {
    name: 'only-electron',
    generateBundle(_options, files) {
      for (const file of Object.values(files)) {
        if (file.type !== 'chunk') continue;
        const others = file.imports.filter((name) => name !== 'electron');
        if (others.length > 0) throw new Error(`the preload requires ${others.join(', ')}`);
      }
    },
  };
}

/** Fails where the first line that makes a script a program was lost on the way; npm links it as `forrest-bench`. */
function executable(): Plugin {
  return {
    name: 'executable',
    generateBundle(_options, files) {
      const chunks = Object.values(files).filter((file) => file.type === 'chunk' && file.isEntry);
      for (const chunk of chunks) {
        if (chunk.type === 'chunk' && chunk.code.startsWith('#!/usr/bin/env node\n')) continue;
        throw new Error(`${chunk.fileName} does not begin with #!/usr/bin/env node`);
      }
    },
  };
}

function print(name: string, directory: string, what: string): void {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, sizeBytes: statSync(join(directory, path)).size }))
    .filter(({ path }) => /\.(mjs|cjs|js|css|html)$/.test(path));
  const sizes = files.map(({ path, sizeBytes }) => `${path.split(sep).at(-1)} ${Math.ceil(sizeBytes / 1000)} kB`);
  console.log(`${`dist/${name}`.padEnd(14)} ${what.padEnd(10)} ${sizes.join(', ')}`);
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  await buildAll({ isForced: args.includes('--force'), isQuiet: args.includes('--quiet') });
}
