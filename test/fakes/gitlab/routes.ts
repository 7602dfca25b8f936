import type { Exchange } from './exchange.ts';

/** What faults and delays are ordered for, and what the request log names. */
export type RouteName =
  | 'jobs-request'
  | 'job-update'
  | 'trace'
  | 'artifacts-upload'
  | 'artifacts-download'
  | 'artifacts-authorize'
  | 'runners-verify'
  | 'storage'
  | 'git'
  | 'control';

export interface Route {
  name: RouteName;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of the whole path below the base path; its groups are the handler's parameters. */
  path: RegExp;
  handle(exchange: Exchange, parameters: readonly string[]): Promise<void>;
}

export interface RouteMatch {
  route: Route;
  parameters: readonly string[];
}

/** The route of a path, taken as it was sent: nothing is resolved or decoded first. */
export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = route.path.exec(path);
    if (match !== null) return { route, parameters: match.slice(1) };
  }
  return undefined;
}
