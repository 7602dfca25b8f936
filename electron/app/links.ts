import type { BenchState } from '../contract/state.ts';

/**
 * Whether a link may be handed to the user's browser: only `https:` pages of the GitLab instances that are
 * configured. Names in jobs and traces are a stranger's; a link that they bring along leads nowhere.
 */
export function isOpenable(url: string, state: BenchState): boolean {
  const link = URL.parse(url);
  if (link === null || link.protocol !== 'https:' || link.username !== '' || link.password !== '') return false;
  return Object.values(state.runnersById).some((runner) => URL.parse(runner.gitlabUrl)?.origin === link.origin);
}
