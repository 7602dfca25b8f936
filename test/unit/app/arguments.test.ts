import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../electron/app/arguments.ts';

describe('parseArguments', () => {
  it.each([
    { argv: ['forrest-bench'], expected: { configPath: undefined, isHidden: false } },
    { argv: ['electron', '.', '--hidden'], expected: { configPath: undefined, isHidden: true } },
    { argv: ['x', '--config', '/etc/bench.yaml'], expected: { configPath: '/etc/bench.yaml', isHidden: false } },
    { argv: ['x', '--config=bench.yaml', '--hidden'], expected: { configPath: '/home/me/bench.yaml', isHidden: true } },
  ])('reads $argv', ({ argv, expected }) => {
    expect(parseArguments(argv, '/home/me')).toEqual(expected);
  });

  it("leaves Chromium's switches alone", () => {
    const argv = ['electron', '--no-sandbox', '--inspect=0', '.', '--ozone-platform=wayland', '--config', 'a.yaml'];
    expect(parseArguments(argv, '/srv')).toEqual({ configPath: '/srv/a.yaml', isHidden: false });
  });

  it.each([[['x', '--config']], [['x', '--config=']], [['x', '--config', '--hidden']]])('refuses %j', (argv) => {
    expect(() => parseArguments(argv, '/')).toThrow(expect.objectContaining({ code: 'app/bad-argument' }));
  });
});
