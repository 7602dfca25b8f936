// A bench in a process of its own, to be killed: `node bench-process.ts FOLDER`, where FOLDER is a scene's.
import { join } from 'node:path';
import { openBench } from '../../electron/core/bench.ts';
import { directoriesBelow } from '../../electron/core/platform/directories.ts';
import { silentLog } from '../../electron/core/platform/log.ts';
import { fakeImages } from './images.ts';

const [folder = ''] = process.argv.slice(2);
await openBench({
  configPath: join(folder, 'config.yaml'),
  directories: directoriesBelow(folder),
  version: 'test',
  recipesDirectory: join(folder, 'recipes'),
  log: silentLog,
  qemuPath: join(folder, 'qemu-system-x86_64'),
  images: await fakeImages(folder),
});
