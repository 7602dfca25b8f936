// Takes the lock of the state folder that the first argument names, says so, and holds it until it is killed.

import { systemClock } from '../../../electron/core/platform/clock.ts';
import { directoriesBelow } from '../../../electron/core/platform/directories.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { SingleInstance } from '../../../electron/headless/single-instance.ts';

const directories = directoriesBelow(process.argv[2] ?? '');
await using instance = await SingleInstance.take({ clock: systemClock, files: systemFiles }, directories);
instance.announce('http://127.0.0.1:1/?token=held');
process.stdout.write('held\n');
await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
