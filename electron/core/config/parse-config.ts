import type { z } from 'zod';
import type { RunnerId } from '../../contract/ids.ts';
import type { Resources } from '../../contract/state.ts';
import type { HostFacts } from '../platform/host-facts.ts';
import type { BenchConfig, ConnectionConfig, MachineConfig, RunnerConfig } from './bench-config.ts';
import { type ConfigProblem, invalidConfig } from './config-error.ts';
import { resolvePath } from './config-paths.ts';
import {
  capacityHereSchema,
  connectionSchema,
  keepFreeSchema,
  lendingSchema,
  machineNamePattern,
  machineSchema,
  qemuSchema,
  runnerSchema,
} from './config-schema.ts';
import { judgeKey } from './known-keys.ts';
import { describeValue, type KeyPath, LocatedDocument } from './located-document.ts';
import { nearest } from './nearest.ts';
import { formatSize } from './quantities.ts';

const gibibyte = 2 ** 30;
const sizeLimitCharacters = 256 * 1024;

/** What the meaning of a file depends on beside its text. */
export interface ParseContext {
  host: HostFacts;
  /** What `~/` stands for. */
  homeDirectory: string;
}

/**
 * Turns the text of a config file into what it means. Pure.
 * @param path Named in problems; relative paths of the file start at its folder.
 * @throws ConfigError `config/invalid` with every problem there is.
 */
export function parseConfig(text: string, path: string, context: ParseContext): BenchConfig {
  return new Reader(text, path, context).read();
}

/** What is lent where the file does not say: half of this PC, one run at a time. */
export function defaultCapacity(host: HostFacts): Resources {
  return {
    cpus: Math.max(1, Math.floor(host.cpus / 2)),
    memoryBytes: Math.floor(host.memoryBytes / 2),
    diskBytes: Math.floor(host.diskBytes / 2),
    slotCount: 1,
  };
}

type Names = Map<string, KeyPath>;

class Reader {
  readonly #located: LocatedDocument;
  readonly #problems: ConfigProblem[] = [];
  readonly #path: string;
  readonly #context: ParseContext;

  constructor(text: string, path: string, context: ParseContext) {
    this.#path = path;
    this.#context = context;
    this.#located = new LocatedDocument(path, text.slice(0, sizeLimitCharacters));
    if (text.length > sizeLimitCharacters) {
      this.#report([], 'value', { expected: 'at most 256 KiB', found: `${text.length} characters` });
      throw invalidConfig(this.#problems);
    }
  }

  read(): BenchConfig {
    const syntax = this.#located.syntaxProblems();
    this.#problems.push(...syntax.problems);
    if (!syntax.isReadable) throw invalidConfig(this.#problems);
    const root = this.#mapping(this.#plainValue(), [], 'a mapping with connections and machines');
    this.#checkKeys(root, []);

    const lending = this.#section(lendingSchema, root['lending'] ?? {}, ['lending']);
    const capacity = this.#mapping(root['capacity'], ['capacity'], 'a mapping with here and keep-free');
    const lent = this.#capacity(capacity['here']);
    const keepFree = this.#keepFree(capacity['keep-free']);
    const machines = this.#mapping(root['machines'], ['machines'], 'a mapping from names to machines');
    const machinesByName = this.#machines(machines, lent);
    const connections = this.#connections(root['connections'], Object.keys(machines).filter(isNoSnippet));
    const qemu = this.#section(qemuSchema, root['qemu'], ['qemu']);

    if (this.#problems.length > 0 || lending === undefined) throw invalidConfig(inOrder(this.#problems));
    return {
      path: this.#path,
      lending: { isEnabled: lending.enabled },
      capacity: lent,
      keepFree,
      machinesByName,
      connections,
      qemuPath: this.#file(qemu),
    };
  }

  #plainValue(): unknown {
    try {
      return this.#located.value();
    } catch (cause) {
      // The library throws where aliases go in circles or multiply beyond its limit.
      const found = cause instanceof Error ? cause.message : 'aliases that cannot be resolved';
      this.#report([], 'value', { expected: 'anchors and aliases that end somewhere', found });
      throw invalidConfig(this.#problems, cause);
    }
  }

  #capacity(value: unknown): Resources {
    const fallback = defaultCapacity(this.#context.host);
    const here = this.#section(capacityHereSchema, value ?? {}, ['capacity', 'here']);
    return {
      cpus: here?.cpus ?? fallback.cpus,
      memoryBytes: here?.memory ?? fallback.memoryBytes,
      diskBytes: here?.disk ?? fallback.diskBytes,
      slotCount: here?.runs ?? fallback.slotCount,
    };
  }

  #keepFree(value: unknown): BenchConfig['keepFree'] {
    const { host } = this.#context;
    const keepFree = this.#section(keepFreeSchema, value ?? {}, ['capacity', 'keep-free']);
    return {
      memoryBytes: keepFree?.memory ?? Math.min(4 * gibibyte, Math.floor(host.memoryBytes / 8)),
      diskBytes: keepFree?.disk ?? Math.min(20 * gibibyte, Math.floor(host.diskBytes / 10)),
    };
  }

  #machines(machines: Record<string, unknown>, lent: Resources): Record<string, MachineConfig> {
    const entries: [string, MachineConfig][] = [];
    for (const [name, value] of Object.entries(machines).filter(([key]) => isNoSnippet(key))) {
      const at: KeyPath = ['machines', name];
      if (!machineNamePattern.test(name)) {
        const expected = 'a name of letters, digits, dots, hyphens and underscores, 63 at most';
        this.#report(at, 'key', { expected, found: describeValue(name) });
      }
      const machine = this.#section(machineSchema, value, at);
      if (machine === undefined) continue;
      const limit = (key: string, needed: number, most: number, shown: (amount: number) => string) => {
        if (needed <= most) return;
        const expected = `at most the ${shown(most)} that capacity.here lends`;
        this.#report([...at, key], 'value', { expected, hint: 'no job could ever run in it' });
      };
      limit('cpus', machine.cpus, lent.cpus, String);
      limit('memory', machine.memory, lent.memoryBytes, formatSize);
      limit('disk', machine.disk, lent.diskBytes, formatSize);
      const doors: Names = new Map();
      for (const [index, rule] of (machine.reach ?? []).entries()) {
        this.#once(doors, `${rule.name}:${rule.port}`, [...at, 'reach', index], 'each name and port once');
      }
      entries.push([
        name,
        {
          name,
          image: machine.image,
          executor: machine.executor,
          cpus: machine.cpus,
          memoryBytes: machine.memory,
          diskBytes: machine.disk,
          reach: machine.reach ?? [],
          runnerBinaryPath: this.#file(machine['runner-binary']),
          bootTimeoutMs: machine['boot-timeout'],
        },
      ]);
    }
    return Object.fromEntries(entries);
  }

  #connections(value: unknown, machineNames: readonly string[]): ConnectionConfig[] {
    const names: Names = new Map();
    return this.#list(value, ['connections'], 'a list of GitLab instances').flatMap((item, index) => {
      const at: KeyPath = ['connections', index];
      const connection = this.#section(connectionSchema, item, at);
      const runners = this.#runners(isMapping(item) ? item['runners'] : undefined, at, machineNames, connection?.name);
      if (connection === undefined) return [];
      this.#once(names, connection.name, [...at, 'name'], 'a name that no other connection has');
      return [{ name: connection.name, url: connection.url, caFile: this.#file(connection['ca-file']), runners }];
    });
  }

  #runners(value: unknown, holder: KeyPath, machineNames: readonly string[], connection = ''): RunnerConfig[] {
    const names: Names = new Map();
    return this.#list(value, [...holder, 'runners'], 'a list of runners').flatMap((item, index) => {
      const at: KeyPath = [...holder, 'runners', index];
      const runner = this.#section(runnerSchema, item, at);
      const machine = isMapping(item) ? item['machine'] : undefined;
      if (typeof machine === 'string' && !machineNames.includes(machine)) {
        const expected = machineNames.length === 0 ? 'a machine of this file' : `one of ${machineNames.join(', ')}`;
        this.#report([...at, 'machine'], 'value', { expected, ...didYouMean(nearest(machine, machineNames)) });
      }
      if (runner === undefined) return [];
      this.#once(names, runner.name, [...at, 'name'], 'a name that no other runner of the connection has');
      return [
        {
          id: `${connection}/${runner.name}` as RunnerId,
          name: runner.name,
          tokenFile: resolvePath(runner['token-file'], this.#path, this.#context.homeDirectory),
          machine: runner.machine,
          projects: runner.projects ?? [],
        },
      ];
    });
  }

  /** Parses a section and reports what is wrong in it; undefined where something is. */
  #section<Schema extends z.ZodType>(schema: Schema, value: unknown, at: KeyPath): z.output<Schema> | undefined {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
      this.#report([...at, ...inner], 'value', { expected: issue.message });
    }
    return undefined;
  }

  /** Looks for keys that mean nothing, in the whole file. */
  #checkKeys(value: unknown, at: KeyPath): void {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) this.#checkKeys(item, [...at, index]);
      return;
    }
    if (!isMapping(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      const isSnippet = !isNoSnippet(key) && (at.length === 0 || (at.length === 1 && at[0] === 'machines'));
      if (isSnippet) continue;
      const verdict = judgeKey(at, key);
      if (verdict.kind === 'known') {
        this.#checkKeys(inner, [...at, key]);
      } else if (verdict.kind === 'not-yet') {
        this.#report([...at, key], 'key', { expected: 'no such key yet', found: `${key}, which is not supported yet` });
      } else {
        const expected = `one of ${verdict.allowed.join(', ')}`;
        const meant = nearest(key, verdict.allowed);
        this.#report([...at, key], 'key', { expected, found: `the key ${describeValue(key)}`, ...didYouMean(meant) });
      }
    }
  }

  #mapping(value: unknown, at: KeyPath, expected: string): Record<string, unknown> {
    if (isMapping(value)) return value;
    if (value !== undefined && value !== null) this.#report(at, 'value', { expected });
    return {};
  }

  #list(value: unknown, at: KeyPath, expected: string): unknown[] {
    if (Array.isArray(value) && value.length <= 200) return value;
    if (Array.isArray(value)) this.#report(at, 'key', { expected: 'at most 200 entries', found: `${value.length}` });
    else if (value !== undefined && value !== null) this.#report(at, 'value', { expected });
    return [];
  }

  #once(seen: Names, name: string, at: KeyPath, expected: string): void {
    if (seen.has(name)) this.#report(at, 'value', { expected, found: `${describeValue(name)} a second time` });
    else seen.set(name, at);
  }

  #file(written: string | null | undefined): string | null {
    return written === undefined || written === null
      ? null
      : resolvePath(written, this.#path, this.#context.homeDirectory);
  }

  #report(at: KeyPath, where: 'key' | 'value', text: { expected: string; found?: string; hint?: string }): void {
    const problem = this.#located.problem(at, where, text);
    // A mistake in a snippet is one mistake, however many machines take it in.
    const isKnown = this.#problems.some(
      (known) => known.line === problem.line && known.column === problem.column && known.expected === problem.expected,
    );
    if (!isKnown || problem.found === 'nothing') this.#problems.push(problem);
  }
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function didYouMean(word: string | undefined): { hint?: string } {
  return word === undefined ? {} : { hint: `did you mean ${word}?` };
}

function isNoSnippet(key: string): boolean {
  return !key.startsWith('.');
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
