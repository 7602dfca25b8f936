import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import type { GuestRunner } from '../images/boot-image.ts';
import { JobError } from './job-error.ts';

export interface RefusalRules {
  isProjectAllowed: (projectPath: string) => boolean;
  runner: Pick<GuestRunner, 'name' | 'version' | 'executor'>;
}

/** Why an accepted job must not be run here, or undefined. It is ended before anything is booted for it. */
export function refuseJob(job: AcceptedJob, rules: RefusalRules): JobError | undefined {
  if (!rules.isProjectAllowed(job.view.projectPath)) {
    return new JobError('jobs/project-not-allowed', `This runner does not take jobs of ${job.view.projectPath}`, {
      remedy:
        'The owner of the machine lists the allowed projects in the config; or lock the runner to its projects in GitLab.',
      blame: 'job',
    });
  }
  if (job.hasNativeSteps && !runsNativeSteps(rules.runner)) {
    const { name, version, executor } = rules.runner;
    return new JobError(
      'jobs/native-steps',
      `The job uses run: (steps), which ${name} ${version} (${executor}) would skip`,
      {
        remedy: 'Use script: in the job, or an image with a gitlab-runner that runs steps.',
        blame: 'job',
      },
    );
  }
  return undefined;
}

/** `run-single` skips steps and reports success, but for the docker executor of 18.9 and later (protocol document 6.5). */
function runsNativeSteps(runner: RefusalRules['runner']): boolean {
  const [major = 0, minor = 0] = runner.version.split('.').map(Number);
  return (
    runner.name === 'gitlab-runner' && runner.executor === 'docker' && (major > 18 || (major === 18 && minor >= 9))
  );
}
