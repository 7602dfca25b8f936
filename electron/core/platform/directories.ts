import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things lie, after the XDG base directory specification. All absolute. */
export interface Directories {
  /** The config file's folder. */
  config: string;
  /** Built images: large, can be made again. */
  cache: string;
  /** Traces and history. */
  data: string;
  /** Ledger, system id, access token. */
  state: string;
  /** Run directories: overlays and console logs. On a real disk. */
  runs: string;
  /** Folders of sockets, one per run: short, because a socket's path has at most 107 bytes. May be `runs` itself. */
  sockets: string;
}

/** @param env Usually `process.env`; `XDG_*` that are not absolute are ignored, as the specification says. */
export function systemDirectories(env: Readonly<Record<string, string | undefined>>): Directories {
  const home = env['HOME'] ?? homedir();
  const base = (name: string, fallback: string) => {
    const value = env[name];
    return value?.startsWith('/') ? value : join(home, fallback);
  };
  const state = join(base('XDG_STATE_HOME', '.local/state'), 'forrest-bench');
  const runs = join(state, 'runs');
  const runtime = join(env['XDG_RUNTIME_DIR'] ?? '', 'forrest-bench');
  return {
    config: join(base('XDG_CONFIG_HOME', '.config'), 'forrest-bench'),
    cache: join(base('XDG_CACHE_HOME', '.cache'), 'forrest-bench'),
    data: join(base('XDG_DATA_HOME', '.local/share'), 'forrest-bench'),
    state,
    runs,
    sockets: runtime.startsWith('/') && runtime.length < runs.length ? runtime : runs,
  };
}

/** Everything below one folder: for tests, the demo, and a bench that is carried on a stick. */
export function directoriesBelow(root: string): Directories {
  return {
    config: join(root, 'config'),
    cache: join(root, 'cache'),
    data: join(root, 'data'),
    state: join(root, 'state'),
    runs: join(root, 'r'),
    sockets: join(root, 'r'),
  };
}
