import type { RunnerStatus } from '../../../electron/contract/state.ts';
import { formatDuration } from '../../ui/format.ts';

/** What a runner does, for a person. */
export interface RunnerWords {
  tone: 'neutral' | 'good' | 'warning' | 'danger';
  text: string;
  /** What can be done about it; empty where nothing has to be. */
  remedy: string;
}

/** @param now Milliseconds since 1970. */
export function runnerWords(status: RunnerStatus, now: number): RunnerWords {
  switch (status.kind) {
    case 'idle':
      return { tone: 'neutral', text: `Idle: ${lowerFirst(status.why)}`, remedy: '' };
    case 'polling':
      return {
        tone: 'good',
        text: status.isLongPoll ? 'Waiting at GitLab for a job' : 'Asking GitLab for a job',
        remedy: '',
      };
    case 'backing-off': {
      const when = status.until > now ? `trying again in ${formatDuration(status.until - now)}` : 'trying again now';
      return { tone: 'warning', text: `${status.error.message}; ${when}`, remedy: status.error.remedy };
    }
    case 'stopped':
      return { tone: 'danger', text: `Stopped: ${status.error.message}`, remedy: status.error.remedy };
  }
}

/** A sentence after a colon begins small, unless it begins with a name or an abbreviation. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]+(\s|$)/.test(text) && !/^(GitLab|QEMU)/.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}
