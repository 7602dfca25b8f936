import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadForHandOver } from '../../../electron/core/proxy/hand-over-payload.ts';

const edit = (payload: string, elapsedSeconds = 300) =>
  Buffer.from(payloadForHandOver(Buffer.from(payload), elapsedSeconds)).toString();

describe('the timeout of a job that is handed over', () => {
  it.each([
    ['less what has passed', '{"runner_info":{"timeout":3600}}', '{"runner_info":{"timeout":3300}}'],
    ['at least a minute', '{"runner_info":{"timeout":310}}', '{"runner_info":{"timeout":60}}'],
    ['an hour where it is 0', '{"runner_info":{"timeout":0}}', '{"runner_info":{"timeout":3300}}'],
    ['an hour where it is negative', '{"runner_info":{"timeout":-5}}', '{"runner_info":{"timeout":3300}}'],
    ['an hour where it is null', '{"runner_info":{"timeout":null}}', '{"runner_info":{"timeout":3300}}'],
    ['an hour where it is no number', '{"runner_info":{"timeout":"1"}}', '{"runner_info":{"timeout":3300}}'],
    ['an hour where it is beyond reason', '{"runner_info":{"timeout":1e999}}', '{"runner_info":{"timeout":3300}}'],
    ['whole seconds', '{"runner_info":{"timeout":600.9}}', '{"runner_info":{"timeout":300}}'],
    ['put in where it is missing', '{"runner_info":{"a":1}}', '{"runner_info":{"timeout":3300,"a":1}}'],
    ['put in where there is nothing', '{"runner_info": { } }', '{"runner_info": {"timeout":3300 } }'],
    ['put in for null', '{"runner_info":null,"b":2}', '{"runner_info":{"timeout":3300},"b":2}'],
    ['put in where runner_info is missing', '{"id":1}', '{"runner_info":{"timeout":3300},"id":1}'],
    ['put in an empty job', '{}', '{"runner_info":{"timeout":3300}}'],
    [
      'of the member that counts',
      '{"runner_info":1,"runner_info":{"timeout":900}}',
      '{"runner_info":1,"runner_info":{"timeout":600}}',
    ],
    ['under an escaped name', '{"runner\\u005finfo":{"timeout":900}}', '{"runner\\u005finfo":{"timeout":600}}'],
  ])('is %s', (_, before, after) => expect(edit(before)).toBe(after));

  it('does not grow when the clock was set back', () =>
    expect(edit('{"runner_info":{"timeout":900}}', -50)).toContain('900'));

  it('is not taken from somewhere else', () => {
    const payload =
      '{"steps":[{"timeout":1}],"x":"{\\"timeout\\":1}","timeout":7,"runner_info":{"y":{"timeout":2},"timeout":900}}';
    expect(edit(payload)).toBe(payload.replace('900', '600'));
  });
});

it('leaves large integers, floats, escapes and blanks as they are', () => {
  const before =
    ' {"a" : 9007199254740993, "b":1.10e+2 ,"c":"\\u00e9\\/é\\"", "runner_info" :{ "timeout" : 3600 , "z":-0.0}}\n';
  expect(edit(before)).toBe(before.replace('3600', '3300'));
});

it.each(['[]', 'null', '1', '', '{"a":', 'secret'])('refuses %j, which is no job, and does not quote it', (payload) => {
  expect(() => edit(payload)).toThrow(expect.objectContaining({ code: 'proxy/unusable-job' }));
  expect(() => edit(payload)).not.toThrow(/secret/);
});

/** JSON text of a value with blanks strewn in, and digits no number of ours would keep. */
function textOf(value: unknown, blank: string): string {
  if (Array.isArray(value)) return `[${blank}${value.map((item) => textOf(item, blank)).join(`,${blank}`)}${blank}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}${blank}:${blank}${textOf(item, blank)}`,
    );
    return `{${blank}${members.join(`${blank},`)}${blank}}`;
  }
  return typeof value === 'number' && Number.isInteger(value)
    ? `9007199254740993${Math.abs(value)}`
    : JSON.stringify(value);
}

it('changes nothing but the timeout, whatever the job is', () => {
  const job = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 });
  const blanks = fc.constantFrom('', ' ', '\n\t', '\r\n  ');
  const extras = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
  fc.assert(
    fc.property(
      job,
      extras,
      blanks,
      fc.integer({ min: 61, max: 100_000 }),
      fc.nat(200),
      (before, info, blank, timeout, at) => {
        const { runner_info: _, ...others } = before;
        const { timeout: __, ...rest } = info;
        const members = Object.entries(others).map(([key, value]) => `${JSON.stringify(key)}:${textOf(value, blank)}`);
        const fields = Object.entries(rest).map(([key, value]) => `${JSON.stringify(key)}:${textOf(value, blank)}`);
        const build = (seconds: number) => {
          const field = [...fields];
          field.splice(at % (fields.length + 1), 0, `"timeout"${blank}:${blank}${seconds}`);
          const all = [...members];
          all.splice(at % (members.length + 1), 0, `"runner_info":${blank}{${field.join(',')}}`);
          return `{${blank}${all.join(`,${blank}`)}}`;
        };
        expect(edit(build(timeout), 1)).toBe(build(timeout - 1));
      },
    ),
    { numRuns: 300 },
  );
});
