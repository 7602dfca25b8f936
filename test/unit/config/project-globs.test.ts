import { describe, expect, it } from 'vitest';
import { isProjectAllowed, isProjectGlob } from '../../../electron/core/config/project-globs.ts';

describe('the projects of a runner', () => {
  it('are all projects where the list is empty', () => {
    expect(isProjectAllowed([], 'any/thing')).toBe(true);
  });

  it.each([
    ['lab/*', 'lab/boot', true],
    ['lab/*', 'LAB/Boot', true],
    ['lab/*', 'lab/group/boot', false],
    ['lab/**', 'lab/group/boot', true],
    ['lab/*', 'other/lab/boot', false],
    ['lab/fw-*', 'lab/fw-2', true],
    ['lab/f.o', 'lab/fxo', false],
    ['firmware/boot', 'firmware/boot', true],
    ['firmware/boot', 'firmware/boot2', false],
    ['**', 'a/b/c', true],
  ])('%s and %s: %s', (glob, project, isAllowed) => {
    expect(isProjectAllowed([glob], project)).toBe(isAllowed);
  });

  it('may be written with letters, digits and stars only', () => {
    expect(['lab/*', 'a', '**/x', '', '/a', 'a/', 'a//b', 'a b', 'a***', '[a-z]'].map(isProjectGlob)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
