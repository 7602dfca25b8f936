import type { FullJobSpec } from './job-spec.ts';

const isMergeRequest = (ref: string) => ref.startsWith('refs/merge-requests/');

/** What a job asks of a runner, by the feature that must be announced (protocol document 1.8). */
const requirements: readonly (readonly [feature: string, isNeeded: (spec: FullJobSpec) => boolean])[] = [
  ['upload_multiple_artifacts', (spec) => Object.keys(spec.artifacts?.reports ?? {}).length > 0],
  ['refspecs', (spec) => isMergeRequest(spec.ref)],
  ['artifacts_exclude', (spec) => (spec.artifacts?.exclude ?? []).length > 0],
  ['multi_build_steps', (spec) => spec.releaseScript.length > 0],
  ['return_exit_code', (spec) => spec.allowFailureExitCodes.length > 0 || spec.retryExitCodes.length > 0],
  ['fallback_cache_keys', (spec) => spec.cache.some((cache) => (cache.fallbackKeys ?? []).length > 0)],
  ['vault_secrets', (spec) => spec.secrets !== null],
];

/** The features a job needs and the request did not announce; empty where the runner may have it. */
export function missingFeatures(spec: FullJobSpec, announced: Readonly<Record<string, unknown>>): string[] {
  return requirements
    .filter(([feature, isNeeded]) => isNeeded(spec) && announced[feature] !== true)
    .map(([feature]) => feature);
}
