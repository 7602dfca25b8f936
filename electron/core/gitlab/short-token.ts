/** Prefixes of runner tokens: `glrt-`, and since 18.x a type such as `t1_` behind it. */
const prefix = /^(?:glrt-(?:t\d_)?|GR1348941)/;

/**
 * The part of a runner token that GitLab itself shows in public (protocol document 2.7): 9 characters. It names caches
 * and containers in the machine, so it has to stay the same from run to run.
 */
export function shortToken(runnerToken: string): string {
  return runnerToken.replace(prefix, '').slice(0, 9);
}

/** A machine's own credential: gets one job from one listener, and opens nothing at GitLab. */
export function machineToken(short: string, random32: string): string {
  return `glrt-${short}_${random32}`;
}
