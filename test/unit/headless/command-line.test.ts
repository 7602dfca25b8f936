import { describe, expect, it } from 'vitest';
import { toWireError } from '../../../electron/contract/errors.ts';
import { defaultPort, parseCommandLine, UsageError } from '../../../electron/headless/command-line.ts';

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '), '/srv');
const usual = { configPath: undefined, dataDirectory: undefined };

describe('the command line', () => {
  it('runs with everything in its usual place', () => {
    expect(parse('run')).toEqual({
      name: 'run',
      ...usual,
      port: defaultPort,
      qemuPath: undefined,
      runnerBinaryPath: undefined,
      isVerbose: false,
    });
  });

  it('takes every option of run, with paths made absolute', () => {
    const line = 'run --config c.yaml --port=0 --data ./d --qemu /q --runner-binary ../r --verbose';
    expect(parse(line)).toEqual({
      name: 'run',
      configPath: '/srv/c.yaml',
      dataDirectory: '/srv/d',
      port: 0,
      qemuPath: '/q',
      runnerBinaryPath: '/r',
      isVerbose: true,
    });
  });

  it.each([
    ['check --config /c', { name: 'check', ...usual, configPath: '/c' }],
    ['init --data /d', { name: 'init', ...usual, dataDirectory: '/d' }],
    ['address', { name: 'address', ...usual }],
    ['images list', { name: 'images', action: 'list', ...usual }],
    ['images build debian-12', { name: 'images', action: 'build', image: 'debian-12', ...usual }],
    [
      '--data /d images verify smoke',
      { name: 'images', action: 'verify', image: 'smoke', ...usual, dataDirectory: '/d' },
    ],
    ['--help', { name: 'help' }],
    ['run --help', { name: 'help' }],
    ['--version', { name: 'version' }],
  ])('understands %j', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  it.each([
    ['', 'There is no command'],
    ['rnu', 'There is no command "rnu"', 'run'],
    ['toString', 'There is no command "toString"'],
    ['run --confg c', 'There is no option --confg', '--config'],
    ['run -x', 'There is no option -x'],
    ['run --config', '--config needs a value'],
    ['run --config --verbose', '--config needs a value'],
    ['run --config=', '--config needs a value'],
    ['run --verbose=yes', '--verbose takes no value'],
    ['run --port 1 --port 2', '--port is there twice'],
    ['run --port 65536', '--port needs a number from 0 to 65535, not "65536"'],
    ['run --port 1e3', '--port needs a number from 0 to 65535, not "1e3"'],
    ['run now', 'run does not take "now"'],
    ['check --port 1', 'check does not take --port'],
    ['images', 'images needs one of: list, build NAME, verify NAME'],
    ['images biuld x', 'images does not know "biuld"', 'build'],
    ['images build', 'images build needs the name of an image'],
    ['images list x', 'images list does not take "x"'],
    ['images build a b', 'images does not take "b"'],
  ])('refuses %j', (line, message, suggestion?: string) => {
    const hint = suggestion === undefined ? '' : `Did you mean ${suggestion}? `;
    const remedy = `${hint}See: forrest-bench --help`;
    const thrown = (() => {
      try {
        return parse(line);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(UsageError);
    expect(toWireError(thrown)).toEqual({ code: 'headless/usage', message, remedy });
  });
});
