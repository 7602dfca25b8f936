import { describe, expect, it } from 'vitest';
import { starterConfig } from '../../../electron/core/config/starter-config.ts';
import { parse, problemsOf } from './config-context.ts';

const gibibyte = 2 ** 30;
const whole = `
lending:
  enabled: false
capacity:
  here: { cpus: 4, memory: 16G, disk: 80G, runs: 2 }
  keep-free: { memory: 2G, disk: 10GiB }

.debian: &debian
  cpus: 4
  memory: 8G
  disk: 40G

machines:
  debian-build: { <<: *debian, image: debian-12 }
  debian-docker:
    <<: *debian
    memory: 4G
    image: debian-12-docker
    executor: docker
    reach: [registry.lab:5000, { name: git.lab, port: 80, to: "127.0.0.1:8929" }]
    runner-binary: ~/bin/gitlab-runner
    boot-timeout: 90s

connections:
  - name: work
    url: https://gitlab.example.com/ci/
    ca-file: lab-ca.pem
    runners:
      - name: bench-3 build
        token-file: ~/.config/forrest-bench/build.token
        machine: debian-build
        projects: [lab/*, firmware/boot]
      - name: docker
        token-file: /run/secrets/docker
        machine: debian-docker
qemu: /opt/qemu/bin/qemu-system-x86_64
`;

describe('a config file', () => {
  it('is read whole, with snippets merged in and paths made absolute', () => {
    expect(parse(whole)).toEqual({
      path: '/etc/bench/config.yaml',
      lending: { isEnabled: false },
      capacity: { cpus: 4, memoryBytes: 16 * gibibyte, diskBytes: 80 * gibibyte, slotCount: 2 },
      keepFree: { memoryBytes: 2 * gibibyte, diskBytes: 10 * gibibyte },
      machinesByName: {
        'debian-build': {
          name: 'debian-build',
          image: 'debian-12',
          executor: 'shell',
          cpus: 4,
          memoryBytes: 8 * gibibyte,
          diskBytes: 40 * gibibyte,
          reach: [],
          runnerBinaryPath: null,
          bootTimeoutMs: 600_000,
        },
        'debian-docker': {
          name: 'debian-docker',
          image: 'debian-12-docker',
          executor: 'docker',
          cpus: 4,
          memoryBytes: 4 * gibibyte,
          diskBytes: 40 * gibibyte,
          reach: [
            { name: 'registry.lab', port: 5000, toHost: 'registry.lab', toPort: 5000 },
            { name: 'git.lab', port: 80, toHost: '127.0.0.1', toPort: 8929 },
          ],
          runnerBinaryPath: '/home/kim/bin/gitlab-runner',
          bootTimeoutMs: 90_000,
        },
      },
      connections: [
        {
          name: 'work',
          url: 'https://gitlab.example.com',
          caFile: '/etc/bench/lab-ca.pem',
          runners: [
            {
              id: 'work/bench-3 build',
              name: 'bench-3 build',
              tokenFile: '/home/kim/.config/forrest-bench/build.token',
              machine: 'debian-build',
              projects: ['lab/*', 'firmware/boot'],
            },
            {
              id: 'work/docker',
              name: 'docker',
              tokenFile: '/run/secrets/docker',
              machine: 'debian-docker',
              projects: [],
            },
          ],
        },
      ],
      qemuPath: '/opt/qemu/bin/qemu-system-x86_64',
    });
  });

  it.each(['', '# nothing yet\n', 'lending:\ncapacity:\nmachines:\nconnections:\nqemu:\n'])(
    'that says nothing (%j) lends half of the PC to nobody',
    (text) => {
      expect(parse(text)).toEqual({
        path: '/etc/bench/config.yaml',
        lending: { isEnabled: true },
        capacity: { cpus: 4, memoryBytes: 16 * gibibyte, diskBytes: 200 * gibibyte, slotCount: 1 },
        keepFree: { memoryBytes: 4 * gibibyte, diskBytes: 20 * gibibyte },
        machinesByName: {},
        connections: [],
        qemuPath: null,
      });
    },
  );

  it('is right as the starter has it', () => {
    expect(parse(starterConfig()).machinesByName['debian']?.memoryBytes).toBe(gibibyte);
  });

  it('is right as the starter has it with its examples uncommented', () => {
    const text = starterConfig()
      .replace('connections: []\n', 'connections:\n')
      .replace(/^# ( *(?:- name|url|runners|token-file|machine|projects|capacity|here|keep-free):?)/gm, '$1')
      .replace('# reach:', 'reach:');
    const config = parse(text);
    expect(config.connections[0]?.runners[0]?.tokenFile).toBe('/etc/bench/runner.token');
    expect(config.machinesByName['debian']?.reach).toHaveLength(1);
    expect(config.capacity.slotCount).toBe(1);
  });

  it('names every problem at once, each with its place, in the order of the file', () => {
    const text = `
lending: { enabled: yes }
capcity: {}
machines:
  big: { image: debian-12, cpus: 64, memory: 1G, disk: 1G }
  typo:
    image: debian-12
    cpus: 2
    memroy: 1G
    disk: lots
connections:
  - name: work
    url: gitlab.example.com
    runners:
      - name: a
        token-file: /a
        machine: typos
      - name: a
        token-file: /b
        machine: big
        projects: lab/*
`;
    expect(problemsOf(text)).toEqual([
      '2:21 lending.enabled: expected true or false, found "yes"',
      '3:1 capcity: expected one of lending, capacity, machines, connections, qemu, found the key "capcity" (did you mean capacity?)',
      '5:34 machines.big.cpus: expected at most the 4 that capacity.here lends, found 64 (no job could ever run in it)',
      '6:3 machines.typo.memory: expected a size of at least 64M, such as 512M or 8G, found nothing',
      '9:5 machines.typo.memroy: expected one of image, executor, cpus, memory, disk, reach, runner-binary, boot-timeout, found the key "memroy" (did you mean memory?)',
      '10:11 machines.typo.disk: expected a size of at least 64M, such as 512M or 8G, found "lots"',
      '13:10 connections[0].url: expected the address of a GitLab instance, such as https://gitlab.example.com, found "gitlab.example.com"',
      '17:18 connections[0].runners[0].machine: expected one of big, typo, found "typos" (did you mean typo?)',
      '21:19 connections[0].runners[1].projects: expected a list of project paths or patterns, found "lab/*"',
    ]);
  });

  it('shows file, line, column, key, what was expected and what was found in the message', () => {
    expect(() => parse('lending: { enabled: 1 }\nqemu: []\n')).toThrow(
      'The config file has 2 problems\n' +
        '/etc/bench/config.yaml:1:21 lending.enabled: expected true or false, found 1\n' +
        '/etc/bench/config.yaml:2:7 qemu: expected the path of a qemu-system program, found an empty list',
    );
  });

  it('refuses what is designed but not built, rather than ignore it', () => {
    const text = `
lending: { hours: { mon-fri: all }, on-battery: drain, when-present: here }
capacity: { away: { cpus: 1 } }
machines:
  a: { image: x, cpus: 1, memory: 1G, disk: 1G, base-machine: b, use-base: always, persistence-token-file: /x }
connections:
  - { name: w, url: "https://g.example", runners: [{ name: r, token: glrt-0123456789, token-file: /t, machine: a, priority: 1 }] }
`;
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.replace(/ expected no such key yet, found/, ''))).toEqual([
      '2:12 lending.hours: hours, which is not supported yet',
      '2:37 lending.on-battery: on-battery, which is not supported yet',
      '2:56 lending.when-present: when-present, which is not supported yet',
      '3:13 capacity.away: away, which is not supported yet',
      '5:49 machines.a.base-machine: base-machine, which is not supported yet',
      '5:66 machines.a.use-base: use-base, which is not supported yet',
      '5:84 machines.a.persistence-token-file: persistence-token-file, which is not supported yet',
      '7:63 connections[0].runners[0].token: token, which is not supported yet',
      '7:115 connections[0].runners[0].priority: priority, which is not supported yet',
    ]);
    expect(problems.join()).not.toContain('glrt-');
  });

  it('points into the snippet where a merged value is wrong, and says it once', () => {
    const text = `
.small: &small
  cpus: none
  memory: 1G
  disk: 1G
machines:
  a: { <<: *small, image: x }
  b: { <<: [*small], image: x }
`;
    expect(problemsOf(text)).toEqual(['3:9 machines.a.cpus: expected a whole number from 1 to 512, found "none"']);
  });

  it('names a missing key at the mapping that lacks it', () => {
    expect(problemsOf('connections:\n  - url: https://g.example\n')).toEqual([
      '2:5 connections[0].name: expected a name of letters, digits, blanks, dots, hyphens and underscores, 63 at most, found nothing',
    ]);
  });

  it('refuses names that are there twice', () => {
    const text = `
machines: { m: { image: x, cpus: 1, memory: 1G, disk: 1G, reach: ["a.lab:1", "A.lab:1", "a.lab:2"] } }
connections:
  - { name: w, url: "https://g.example", runners: [{ name: r, token-file: /t, machine: m }, { name: r, token-file: /u, machine: m }] }
  - { name: w, url: "https://h.example", runners: [{ name: r, token-file: /t, machine: m }] }
`;
    expect(problemsOf(text)).toEqual([
      '2:78 machines.m.reach[1]: expected each name and port once, found "a.lab:1" a second time',
      '4:101 connections[0].runners[1].name: expected a name that no other runner of the connection has, found "r" a second time',
      '5:13 connections[1].name: expected a name that no other connection has, found "w" a second time',
    ]);
  });

  it('refuses a machine name that is no name, and is not fooled by names of JavaScript', () => {
    const text = `
machines:
  a/x: { image: x, cpus: 1, memory: 1G, disk: 1G }
connections:
  - { name: w, url: "https://g.example", runners: [{ name: r, token-file: /t, machine: constructor }] }
`;
    expect(problemsOf(text)).toEqual([
      '3:3 machines.a/x: expected a name of letters, digits, dots, hyphens and underscores, 63 at most, found "a/x"',
      '5:88 connections[0].runners[0].machine: expected one of a/x, found "constructor"',
    ]);
  });

  it('never repeats a credential that was written into the wrong place', () => {
    const text = `
connections:
  - name: w
    url: https://kim:hunter2@g.example
    runners: [{ name: glrt-0123456789abcdef, token-file: glrt-0123456789abcdef, machine: glrt-0123456789abcdef }]
`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/hunter2|glrt-0/);
  });

  it.each([
    ['a: [1\nb: 2', 2],
    ['lending: {enabled: true}\nlending: {enabled: false}', 2],
    ['lending:\n\tenabled: true', 2],
    ['a: 1\n---\nb: 2', 2],
    ['qemu: *nowhere', 1],
    ['qemu: !include other.yaml', 1],
  ])('names the line of what is no YAML: %j', (text, line) => {
    const lines = problemsOf(text).map((problem) => Number(problem.split(':')[0]));
    expect(Math.min(...lines)).toBe(line);
  });

  it('goes on after a duplicate key', () => {
    expect(problemsOf('qemu: 1\nqemu: /x\nlending: { enabled: 3 }\n')).toEqual([
      '2:1 : expected each key once in a mapping, found a key that was there before',
      '3:21 lending.enabled: expected true or false, found 3',
    ]);
  });

  it('refuses aliases that multiply without end', () => {
    const bomb = ['.a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let depth = 1; depth < 9; depth += 1) {
      bomb.push(
        `.a${depth}: &a${depth} [${Array(9)
          .fill(`*a${depth - 1}`)
          .join(', ')}]`,
      );
    }
    expect(problemsOf(bomb.join('\n'))).toHaveLength(1);
  });

  it('refuses a file larger than 256 KiB', () => {
    expect(problemsOf(`# ${'x'.repeat(300_000)}`)).toEqual(['1:1 : expected at most 256 KiB, found 300002 characters']);
  });

  it.each([
    '[]',
    '7',
    'text',
    'lending: 1',
    'capacity: []',
    'machines: [a]',
    'connections: {a: 1}',
    'machines: {a: 1}',
  ])('refuses %j with a sentence', (text) => {
    expect(problemsOf(text)).toHaveLength(1);
  });
});
