import { isDeepStrictEqual } from 'node:util';
import type { Resources } from '../../contract/state.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { BenchConfig } from './bench-config.ts';
import { capacityEdits, type Edit, editYaml, lendingEdits } from './config-edits.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigDeps, readConfigText } from './load-config.ts';
import { parseConfig } from './parse-config.ts';

export interface ConfigFileDeps extends ConfigDeps, Pick<PlatformDeps, 'clock' | 'log'> {}

export type ConfigEvent = { kind: 'changed'; config: BenchConfig } | { kind: 'broken'; error: ConfigError };

/** Editors write a file in several steps; it is read once they are done. */
const settleMs = 100;

/**
 * The config file while the program runs: read, watched, and written back with its comments. A file that becomes
 * wrong is reported and leaves the last right one in force.
 */
export class ConfigFile implements AsyncDisposable {
  readonly #deps: ConfigFileDeps;
  readonly #path: string;
  readonly #listeners = new Set<(event: ConfigEvent) => void>();
  readonly #watches: Disposable[] = [];
  #config: BenchConfig;
  /** What the file held when it was last looked at; undefined where it could not be read. */
  #text: string | undefined;
  #pending: Disposable | undefined;
  /** Reads and writes one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(deps: ConfigFileDeps, path: string, text: string, config: BenchConfig) {
    this.#deps = deps;
    this.#path = path;
    this.#text = text;
    this.#config = config;
  }

  /** @throws ConfigError `config/missing`, `config/unreadable`, `config/invalid`. */
  static async open(deps: ConfigFileDeps, path: string): Promise<ConfigFile> {
    const text = await readConfigText(deps, path);
    const file = new ConfigFile(deps, path, text, parseConfig(text, path, deps));
    const realPath = await deps.files.realPath(path);
    for (const watched of new Set([path, realPath])) {
      file.#watches.push(deps.files.watch(watched, () => file.#readSoon()));
    }
    // What changed between the first look and the start of the watch.
    file.#readSoon();
    return file;
  }

  /** What is in force. */
  get current(): BenchConfig {
    return this.#config;
  }

  /** Calls back after each change of what is in force, whoever made it, and when the file has become wrong. */
  onChange(listener: (event: ConfigEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Writes the switch. @throws ConfigError where the file as it is cannot be changed; it is then left alone. */
  async setLending(isEnabled: boolean): Promise<void> {
    await this.#edit(lendingEdits(isEnabled), (config) => ({ ...config, lending: { isEnabled } }));
  }

  /**
   * Writes `capacity.here`.
   * @throws ConfigError `config/invalid` where a machine of the file would not fit any more, with nothing written.
   */
  async setCapacity(resources: Resources): Promise<void> {
    await this.#edit(capacityEdits(resources), (config) => ({ ...config, capacity: { ...resources } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#pending?.[Symbol.dispose]();
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]();
    this.#listeners.clear();
    await this.#work;
  }

  #edit(edits: readonly Edit[], expected: (before: BenchConfig) => BenchConfig): Promise<void> {
    return this.#inTurn(async () => {
      // The file may be newer than what is in force, and what somebody is writing there must not be lost.
      const text = await readConfigText(this.#deps, this.#path);
      const before = parseConfig(text, this.#path, this.#deps);
      const edited = editYaml(text, edits);
      const config = parseConfig(edited, this.#path, this.#deps);
      if (!isDeepStrictEqual(config, expected(before))) {
        const keys = edits.map((edit) => edit.path.join('.')).join(', ');
        throw new ConfigError('config/not-editable', `${keys} cannot be changed without changing something else`, {
          remedy: `In ${this.#path} the value has an anchor that other places use. Write it out where it belongs.`,
        });
      }
      if (edited !== text) await this.#write(edited);
      this.#text = edited;
      this.#take(config);
    });
  }

  /** Through a symbolic link, and with the permissions the file has: it is the user's. */
  async #write(text: string): Promise<void> {
    const { files } = this.#deps;
    const realPath = await files.realPath(this.#path);
    await files.writeAtomically(realPath, text, await files.permissions(realPath));
  }

  #readSoon(): void {
    if (this.#isClosed) return;
    this.#pending?.[Symbol.dispose]();
    this.#pending = this.#deps.clock.after(settleMs, () => {
      this.#pending = undefined;
      this.#inTurn(() => this.#readAgain()).catch((error: unknown) => {
        this.#deps.log.error({ error, path: this.#path }, 'config file could not be read again');
      });
    });
  }

  async #readAgain(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const text = await readConfigText(this.#deps, this.#path);
      if (text === this.#text) return;
      this.#text = text;
      const config = parseConfig(text, this.#path, this.#deps);
      this.#deps.log.info({ path: this.#path }, 'config file changed');
      this.#take(config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.code !== 'config/invalid') {
        if (this.#text === undefined) return;
        this.#text = undefined;
      }
      this.#deps.log.warn({ path: this.#path, code: error.code }, 'config file is broken, the last one stays in force');
      this.#tell({ kind: 'broken', error });
    }
  }

  #take(config: BenchConfig): void {
    this.#config = config;
    this.#tell({ kind: 'changed', config });
  }

  #tell(event: ConfigEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }
}
