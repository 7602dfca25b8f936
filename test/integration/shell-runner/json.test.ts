import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { runnerScripts } from './shell-runner.ts';

/** What the script makes of JSON: `path TAB type TAB value`, one a line. */
async function flattenByScript(json: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await systemProcesses.run(
    'busybox',
    ['awk', '-f', join(runnerScripts, 'json.awk')],
    { input: json, env: { LC_ALL: 'C' } },
  );
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout.split('\n').slice(0, -1);
}

/** The same by JSON.parse. */
function flatten(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? [`${path}\ta\t`] : value.flatMap((item, index) => flatten(item, `${path}/${index}`));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return [`${path}\to\t`];
    return entries.flatMap(([key, item]) => flatten(item, `${path}/${onOneLine(pointerToken(key))}`));
  }
  if (value === null) return [`${path}\tz\t`];
  if (typeof value === 'string') return [`${path}\ts\t${onOneLine(value)}`];
  return [`${path}\t${typeof value === 'boolean' ? 'b' : 'n'}\t${JSON.stringify(value)}`];
}

function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function onOneLine(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return escaped.replaceAll('\0', '').toWellFormed();
}

/** A key that is a number comes first in JavaScript; the law is about content, not order. */
const sorted = (lines: string[]) => [...lines].sort();

const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('"', '\\', '/', '~', '\n', '\t', '\r', '\0', '{', ']', ',', ':', '😀', '\ud800'),
  ),
});

describe('json.awk', () => {
  it('reads whatever JSON.stringify writes', async () => {
    const document = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
      map: fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    })).value;
    await fc.assert(
      fc.asyncProperty(document, fc.constantFrom(undefined, 2, '\t'), async (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        const parsed: unknown = JSON.parse(json);
        // Keys that only a null byte tells apart become one.
        expect(sorted(await flattenByScript(json))).toEqual(sorted(flatten(parsed)));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['escapes of every kind', '"\\u00e9\\u20AC\\ud83d\\ude00\\b\\f\\/\\\\\\""', ['\ts\té€😀\b\f/\\\\"']],
    [
      'a lonely half of a pair',
      '["\\ud83d", "\\ude00x", "\\ud83d\\u0041"]',
      ['/0\ts\t\ufffd', '/1\ts\t\ufffdx', '/2\ts\t\ufffdA'],
    ],
    [
      'numbers as they are written',
      '[1e400,-0,12345678901234567890]',
      ['/0\tn\t1e400', '/1\tn\t-0', '/2\tn\t12345678901234567890'],
    ],
    ['keys that need escapes', '{"a/b":{"~":1}}', ['/a~1b/~0\tn\t1']],
    ['nothing within something', '{"a":[],"b":{},"c":[[]]}', ['/a\ta\t', '/b\to\t', '/c/0\ta\t']],
  ])('reads %s', async (_what, json, lines) => {
    expect(await flattenByScript(json)).toEqual(lines);
  });

  it('reads a large document', async () => {
    const variables = (count: number) =>
      JSON.stringify({
        variables: Array.from({ length: count }, (_, index) => ({
          key: `NAME_${index}`,
          value: `"${'line\n'.repeat(20)}"`,
        })),
      });
    expect(await flattenByScript(variables(5000))).toHaveLength(10_000);
  });
});
