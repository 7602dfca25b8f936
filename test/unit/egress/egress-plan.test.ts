import { describe, expect, it } from 'vitest';
import { planReach } from '../../../electron/core/vm/egress/egress-plan.ts';

const registry = { name: 'registry.lab', port: 5000, toHost: 'registry.lab', toPort: 5000 };

describe('the plan of what a machine reaches', () => {
  it('always has the GitLab instance of the job', () => {
    expect(planReach({ gitlabOrigin: 'https://gitlab.lab', reach: [] })).toEqual({
      hosts: [{ address: '10.0.2.101', name: 'gitlab.lab' }],
      forwards: [{ address: '10.0.2.101', port: 443, toHost: 'gitlab.lab', toPort: 443 }],
      throughProxy: [],
    });
  });

  it('gives each name one address and each of its ports a way', () => {
    const reach = [registry, { ...registry, port: 80, toHost: '127.0.0.1', toPort: 8080 }];
    expect(planReach({ gitlabOrigin: 'http://gitlab.lab:8929', reach })).toEqual({
      hosts: [
        { address: '10.0.2.101', name: 'registry.lab' },
        { address: '10.0.2.102', name: 'gitlab.lab' },
      ],
      forwards: [
        { address: '10.0.2.101', port: 5000, toHost: 'registry.lab', toPort: 5000 },
        { address: '10.0.2.101', port: 80, toHost: '127.0.0.1', toPort: 8080 },
        { address: '10.0.2.102', port: 8929, toHost: 'gitlab.lab', toPort: 8929 },
      ],
      throughProxy: [],
    });
  });

  it('believes a door that says where the GitLab instance really is', () => {
    const reach = [{ name: 'GitLab.lab', port: 443, toHost: '127.0.0.1', toPort: 8929 }];
    expect(planReach({ gitlabOrigin: 'https://gitlab.lab', reach })).toEqual({
      hosts: [{ address: '10.0.2.101', name: 'gitlab.lab' }],
      forwards: [{ address: '10.0.2.101', port: 443, toHost: '127.0.0.1', toPort: 8929 }],
      throughProxy: [],
    });
  });

  it('puts another port of the GitLab instance beside it', () => {
    const reach = [{ name: 'gitlab.lab', port: 22, toHost: 'gitlab.lab', toPort: 2222 }];
    expect(planReach({ gitlabOrigin: 'https://gitlab.lab', reach }).forwards).toEqual([
      { address: '10.0.2.101', port: 22, toHost: 'gitlab.lab', toPort: 2222 },
      { address: '10.0.2.101', port: 443, toHost: 'gitlab.lab', toPort: 443 },
    ]);
  });

  it.each([
    ['http://192.168.1.5:8080', '192.168.1.5', 8080],
    ['https://[fd00::5]', 'fd00::5', 443],
  ])('lets the proxy reach an instance without a name: %s', (gitlabOrigin, host, port) => {
    expect(planReach({ gitlabOrigin, reach: [] })).toEqual({ hosts: [], forwards: [], throughProxy: [{ host, port }] });
  });

  it.each(['http://localhost:8929', 'http://gitlab.localhost'])(
    'opens nothing for %s, which a guest is itself',
    (origin) => {
      expect(planReach({ gitlabOrigin: origin, reach: [registry] }).hosts).toEqual([
        { address: '10.0.2.101', name: 'registry.lab' },
      ]);
    },
  );

  it('keeps the first of what is there twice', () => {
    const reach = [registry, { ...registry, toHost: 'other' }];
    expect(planReach({ gitlabOrigin: 'https://gitlab.lab', reach }).forwards).toHaveLength(2);
  });

  it('refuses more names than the network has addresses', () => {
    const reach = Array.from({ length: 153 }, (_, index) => ({ ...registry, name: `n${index}.lab` }));
    expect(planReach({ gitlabOrigin: 'https://gitlab.lab', reach }).hosts.at(-1)).toEqual({
      address: '10.0.2.254',
      name: 'gitlab.lab',
    });
    const more = [...reach, { ...registry, name: 'one-more.lab' }];
    expect(() => planReach({ gitlabOrigin: 'https://gitlab.lab', reach: more })).toThrow(
      'More than 154 names to reach',
    );
  });
});
