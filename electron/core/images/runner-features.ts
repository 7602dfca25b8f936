/** A release of gitlab-runner, `[major, minor]`. */
export type RunnerRelease = readonly [major: number, minor: number];

const sinceAlways = [
  ...[
    'artifacts',
    'upload_multiple_artifacts',
    'upload_raw_artifacts',
    'cache',
    'refspecs',
    'masking',
    'raw_variables',
  ],
  ...['artifacts_exclude', 'multi_build_steps', 'vault_secrets', 'return_exit_code', 'variables'],
  ...['trace_reset', 'trace_checksum', 'trace_size', 'cancelable'],
];

/** What came later: to both executors, or to one. */
const sinceRelease: readonly { release: RunnerRelease; executor?: 'shell' | 'docker'; features: readonly string[] }[] =
  [
    { release: [0, 0], executor: 'shell', features: ['shared'] },
    { release: [0, 0], executor: 'docker', features: ['image', 'services'] },
    { release: [15, 0], executor: 'docker', features: ['service_variables'] },
    { release: [16, 0], features: ['fallback_cache_keys'] },
    { release: [16, 0], executor: 'docker', features: ['service_multiple_aliases'] },
    { release: [16, 10], features: ['cancel_gracefully'] },
    { release: [17, 0], executor: 'docker', features: ['image_executor_opts', 'service_executor_opts'] },
    { release: [17, 11], executor: 'docker', features: ['native_steps_integration'] },
    { release: [18, 9], features: ['job_inputs'] },
    { release: [19, 3], executor: 'shell', features: ['native_steps_integration'] },
  ];

/** A runner would announce these; a machine has no terminal to offer, and two-phase commit is never announced. */
const neverAnnounced = ['session', 'terminal', 'proxy', 'two_phase_job_commit'];

/**
 * What gitlab-runner of this release announces with this executor (protocol document 1.8). GitLab fails a job that
 * needs more than was announced, and a runner that is announced to do more than it can fails the job itself.
 * @param release undefined for a build without a version: then what the oldest supported one does.
 */
export function runnerFeatures(release: RunnerRelease | undefined, executor: string): Record<string, boolean> {
  const since = sinceRelease
    .filter((step) => isSince(release ?? [14, 0], step.release))
    .filter((step) => step.executor === undefined || step.executor === executor)
    .flatMap((step) => step.features);
  return Object.fromEntries([
    ...[...sinceAlways, ...since].map((feature) => [feature, true] as const),
    ...neverAnnounced.map((feature) => [feature, false] as const),
  ]);
}

function isSince([major, minor]: RunnerRelease, [sinceMajor, sinceMinor]: RunnerRelease): boolean {
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}
