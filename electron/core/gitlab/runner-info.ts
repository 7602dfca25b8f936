/** `info` of a request (protocol document 1.2): what the runner in the image is. Values as GitLab wants them. */
export interface RunnerInfo {
  name: string;
  version: string;
  revision: string;
  platform: string;
  architecture: string;
  executor: string;
  shell: string;
  features: Readonly<Record<string, boolean>>;
}

/** What we must not promise, whatever the runner in the image can do (protocol document 1.8, 4.5, 6.1). */
const withheld = { session: false, terminal: false, two_phase_job_commit: false };

/** The `info` object as it goes over the wire. */
export function wireInfo(runner: RunnerInfo): Record<string, unknown> {
  return { ...runner, features: { ...runner.features, ...withheld }, config: { gpus: '' } };
}
