import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { ConfigProblem } from './config-error.ts';
import { looksLikeToken } from './config-schema.ts';

export type KeyPath = readonly (string | number)[];

/** How often aliases may be followed: plenty for snippets, and not enough to blow up memory. */
const maxAliasCount = 100;

/** The options every reading and writing of the file shares: YAML 1.2 with `<<` of 1.1, which snippets need. */
export function parseYaml(text: string, lineCounter?: LineCounter): Document.Parsed {
  return parseDocument(text, {
    merge: true,
    uniqueKeys: true,
    prettyErrors: false,
    ...(lineCounter === undefined ? {} : { lineCounter }),
  });
}

/** A YAML text that knows where each of its values is written, also through anchors and merges. */
export class LocatedDocument {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, text: string) {
    this.file = file;
    this.#lines = new LineCounter();
    this.document = parseYaml(text, this.#lines);
  }

  /** What is wrong with the text as YAML; a duplicate key leaves the rest readable, everything else does not. */
  syntaxProblems(): { problems: ConfigProblem[]; isReadable: boolean } {
    const found = [...this.document.errors, ...this.document.warnings];
    const problems = found.map((error) => {
      const isDuplicate = error.code === 'DUPLICATE_KEY';
      return this.#problem(error.pos[0], [], {
        expected: isDuplicate ? 'each key once in a mapping' : 'well-formed YAML',
        found: isDuplicate ? 'a key that was there before' : error.message.replace(/\s+/g, ' '),
        hint: null,
      });
    });
    problems.push(...this.#danglingAliases());
    return { problems, isReadable: problems.length === found.filter((error) => error.code === 'DUPLICATE_KEY').length };
  }

  #danglingAliases(): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    visit(this.document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.document) !== undefined) return;
        const expected = `an anchor &${alias.source} above this alias`;
        problems.push(this.#problem(startOf(alias) ?? 0, [], { expected, found: 'none', hint: null }));
      },
    });
    return problems;
  }

  /** Plain values with aliases and merges resolved. */
  value(): unknown {
    return this.document.toJS({ maxAliasCount });
  }

  /** @param at Whether the key or its value is to be pointed at; where it is missing, what should hold it is. */
  problem(
    path: KeyPath,
    at: 'key' | 'value',
    text: { expected: string; found?: string; hint?: string },
  ): ConfigProblem {
    const { offset, node } = this.#locate(path, at);
    const found = text.found ?? describeValue(node?.toJS(this.document, { maxAliasCount }));
    return this.#problem(offset, path, { expected: text.expected, found, hint: text.hint ?? null });
  }

  #problem(offset: number, path: KeyPath, text: Pick<ConfigProblem, 'expected' | 'found' | 'hint'>): ConfigProblem {
    const { line, col } = this.#lines.linePos(offset);
    return {
      file: this.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      keyPath: formatKeyPath(path),
      ...text,
    };
  }

  #locate(path: KeyPath, at: 'key' | 'value'): { offset: number; node: Node | undefined } {
    let node: Node | undefined = this.document.contents ?? undefined;
    let offset = node?.range?.[0] ?? 0;
    for (const [index, part] of path.entries()) {
      const holder = this.resolve(node);
      const isLast = index === path.length - 1;
      if (isMap(holder)) {
        const pair = this.findPair(holder, String(part));
        if (pair === undefined) return { offset, node: undefined };
        offset = startOf(pair.key) ?? offset;
        node = isNode(pair.value) ? pair.value : undefined;
        if (isLast && at === 'value') offset = startOf(node) ?? offset;
      } else if (isSeq(holder)) {
        const item: unknown = holder.items[Number(part)];
        node = isNode(item) ? item : undefined;
        offset = startOf(node) ?? offset;
      } else {
        return { offset, node: undefined };
      }
    }
    return { offset, node };
  }

  /** Follows an alias to what it stands for. */
  resolve(node: Node | undefined): Node | undefined {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  /** The pair of a key: a mapping's own, or one that `<<` brings in. */
  findPair(map: YAMLMap, key: string): Pair | undefined {
    const own = map.items.find((pair) => !isMergeKey(pair) && keyText(pair.key) === key);
    if (own !== undefined) return own;
    for (const pair of map.items.filter(isMergeKey)) {
      const merged = this.resolve(isNode(pair.value) ? pair.value : undefined);
      const sources: unknown[] = isSeq(merged) ? merged.items : [merged];
      for (const source of sources) {
        const inner = this.resolve(isNode(source) ? source : undefined);
        const found = isMap(inner) ? this.findPair(inner, key) : undefined;
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

export function isMergeKey(pair: unknown): boolean {
  if (!isPair(pair) || !isScalar(pair.key)) return false;
  const { value } = pair.key;
  return value === '<<' || (typeof value === 'symbol' && value.description === '<<');
}

export function formatKeyPath(path: KeyPath): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** A value in a few words, for a person; never a credential, and never more than a line. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  if (looksLikeToken(value)) return 'a token';
  // An address may hold a password.
  const shown = value.replace(/:\/\/[^/@\s]*@/g, '://***@');
  return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 57)}...` : shown);
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : isCollection(key) ? '' : String(key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
