import { describe, expect, it } from 'vitest';
import { capacityEdits, editYaml, lendingEdits } from '../../../electron/core/config/config-edits.ts';
import { parse } from './config-context.ts';

const gibibyte = 2 ** 30;
const capacity = { cpus: 3, memoryBytes: 6 * gibibyte, diskBytes: 50 * gibibyte, slotCount: 2 };

describe('writing the switch', () => {
  it('changes its own characters and nothing else', () => {
    const text = '# mine\nlending:   # why\n    enabled:   true   # the switch\n\n\nqemu:    "/usr/bin/q"\n';
    expect(editYaml(text, lendingEdits(false))).toBe(text.replace('true', 'false'));
  });

  it('leaves a text alone that says so already', () => {
    const text = 'lending: {enabled:    true}\n';
    expect(editYaml(text, lendingEdits(true))).toBe(text);
  });

  it.each([
    ['', 'lending:\n  enabled: false\n'],
    ['# only a comment\n', '# only a comment\n\nlending:\n  enabled: false\n'],
    ['lending:\n', 'lending:\n  enabled: false\n'],
    ['lending: {}\n', 'lending: { enabled: false }\n'],
    ['lending:\n  enabled:\n', 'lending:\n  enabled: false\n'],
    ['lending: { enabled: "true" } # c\n', 'lending: { enabled: false } # c\n'],
  ])('adds what is missing in %j', (text, expected) => {
    expect(editYaml(text, lendingEdits(false))).toBe(expected);
    expect(parse(editYaml(text, lendingEdits(false))).lending.isEnabled).toBe(false);
  });
});

describe('writing what is lent', () => {
  it('keeps comments, order and the form of values that stay', () => {
    const text = `# top
capacity:   # sliders
  here: { cpus: 2, memory: 8G, disk: 50GiB, runs: 1 }   # at the desk
  keep-free: { memory: 2G }  # for me
machines: {}   # none
`;
    expect(editYaml(text, capacityEdits(capacity))).toBe(`# top
capacity:   # sliders
  here: { cpus: 3, memory: 6G, disk: 50GiB, runs: 2 }   # at the desk
  keep-free: { memory: 2G }  # for me
machines: {}   # none
`);
  });

  it('adds what is missing and keeps every comment', () => {
    const text = '# top\ncapacity:\n  here:\n    cpus: 2 # two\n  # between\n  keep-free: { disk: 1G } # free\n# end\n';
    const edited = editYaml(text, capacityEdits(capacity));
    expect(parse(edited).capacity).toEqual(capacity);
    for (const comment of ['# top', '# two', '# between', '# free', '# end']) expect(edited).toContain(comment);
  });

  it('gives a mapping of its own to what was an alias', () => {
    const text =
      '.c: &c { cpus: 1, memory: 1G, disk: 1G }\ncapacity: { here: *c }\nmachines:\n  m: { <<: *c, image: x }\n';
    const config = parse(editYaml(text, capacityEdits(capacity)));
    expect(config.capacity).toEqual(capacity);
    expect(config.machinesByName['m']?.cpus).toBe(1);
  });

  it('overrides what a merge brings in', () => {
    const text = '.c: &c { cpus: 1, memory: 1G }\ncapacity:\n  here:\n    <<: *c\n    disk: 1G\n';
    const edited = editYaml(text, capacityEdits(capacity));
    expect(parse(edited).capacity).toEqual(capacity);
    expect(edited).toContain('.c: &c { cpus: 1, memory: 1G }');
  });

  it('gives back the capacity it was given, whatever its bytes', () => {
    const odd = { cpus: 0, memoryBytes: 1_234_567_891, diskBytes: 0, slotCount: 0 };
    expect(parse(editYaml('capacity:\n', capacityEdits(odd))).capacity).toEqual(odd);
  });
});
