import type { Clock } from './clock.ts';
import type { Files } from './files.ts';
import type { Log } from './log.ts';
import type { Processes } from './processes.ts';
import type { Random } from './random.ts';

/** What rooms are given of the outside; each takes a `Pick` of it. */
export interface PlatformDeps {
  clock: Clock;
  files: Files;
  log: Log;
  processes: Processes;
  random: Random;
}
