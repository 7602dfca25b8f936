/** How the instance is set up; may be changed while it runs. */
export interface GitLabSettings {
  /** How long `jobs/request` is held; 0 answers at once. */
  longPollMs: number;
  /** Base of the URLs in payloads, with the base path, without a trailing slash. */
  publicUrl: string;
  /** `X-GitLab-Trace-Update-Interval`: 60 in a GitLab whose log nobody watches, else 3. */
  traceUpdateIntervalSeconds: number;
  /** The instance limit on a trace, in whole mebibytes. */
  traceLimitMebibytes: number;
  /** 413 past this. */
  artifactLimitBytes: number;
  /**
   * How many final updates with a checksum are answered 202 before one is answered 200, as with live trace chunks
   * that are still being migrated; 0 is the setting off.
   */
  acceptedFinalUpdates: number;
  /** `GET artifacts?direct_download=true` is answered 302 to a signed path of this server. */
  hasObjectStorage: boolean;
  /** The first upload of each type is answered 307 to the same place, as by a secondary site. */
  redirectsUploads: boolean;
  /** Whose token stands in `dependencies[]`: current servers or older ones (protocol document 5.4). */
  dependencyTokens: 'running-job' | 'dependency';
}
