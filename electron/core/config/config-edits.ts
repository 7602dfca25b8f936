import { type Document, isAlias, isMap, isScalar, type Node, Scalar } from 'yaml';
import type { Resources } from '../../contract/state.ts';
import { type KeyPath, parseYaml } from './located-document.ts';
import { formatSize, parseSize } from './quantities.ts';

export interface Edit {
  path: KeyPath;
  value: boolean | number | string;
}

export function lendingEdits(isEnabled: boolean): Edit[] {
  return [{ path: ['lending', 'enabled'], value: isEnabled }];
}

export function capacityEdits(resources: Resources): Edit[] {
  const here = (key: string, value: number | string): Edit => ({ path: ['capacity', 'here', key], value });
  return [
    here('cpus', resources.cpus),
    here('memory', formatSize(resources.memoryBytes)),
    here('disk', formatSize(resources.diskBytes)),
    here('runs', resources.slotCount),
  ];
}

/**
 * Writes values into a YAML text. Pure. Where a value stands in the text already, only its own characters change;
 * else it is added through the document model, which keeps comments too but may re-indent.
 * @param text Well-formed YAML.
 */
export function editYaml(text: string, edits: readonly Edit[]): string {
  return edits.reduce(editOne, text);
}

function editOne(text: string, { path, value }: Edit): string {
  const document = parseYaml(text);
  const existing = writtenValue(document, path);
  if (existing?.range === undefined || existing.range === null) return added(document, path, value);
  if (isSame(existing.value, value)) return text;
  const [start, end] = existing.range;
  // An empty value has no width; what is written there needs a blank after the colon.
  const gap = start === end && !/\s/.test(text[start - 1] ?? ' ') ? ' ' : '';
  return `${text.slice(0, start)}${gap}${String(value)}${text.slice(end)}`;
}

/** The scalar at `path` if every step to it is written in place: an alias or a merge belongs to someone else too. */
function writtenValue(document: Document.Parsed, path: KeyPath): Scalar.Parsed | undefined {
  let node: unknown = document.contents;
  for (const part of path) {
    if (!isMap(node)) return undefined;
    node = node.get(part, true);
  }
  return isScalar(node) && node.anchor === undefined && isParsed(node) ? node : undefined;
}

function isParsed(node: Scalar): node is Scalar.Parsed {
  return node.range !== undefined && node.range !== null && node.tag === undefined && isOneLine(node);
}

function isOneLine(node: Scalar): boolean {
  return node.type !== Scalar.BLOCK_FOLDED && node.type !== Scalar.BLOCK_LITERAL;
}

function added(document: Document.Parsed, path: KeyPath, value: Edit['value']): string {
  for (let depth = 1; depth < path.length; depth += 1) ownMapping(document, path.slice(0, depth));
  document.setIn(path, value);
  // No folding of long lines: they are the user's.
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Makes what stands at `path` a mapping of its own, so that a change of it changes nothing else. */
function ownMapping(document: Document.Parsed, path: KeyPath): void {
  const node = document.getIn(path, true) as Node | undefined;
  if (isAlias(node)) {
    const shared = node.resolve(document);
    const copy = isMap(shared) ? shared.clone() : document.createNode({});
    if (isMap(copy)) delete copy.anchor;
    document.setIn(path, copy);
  } else if (!isMap(node)) {
    document.setIn(path, document.createNode({}));
  }
}

/** `8GiB` stays `8GiB` when 8G is asked for. */
function isSame(written: unknown, value: Edit['value']): boolean {
  if (written === value) return true;
  return typeof value === 'string' && parseSize(written) === parseSize(value);
}
