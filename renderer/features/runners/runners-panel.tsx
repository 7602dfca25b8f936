import type { RunnerView } from '../../../electron/contract/state.ts';
import { useBenchState } from '../../mirror/bench-context.tsx';
import { formatDuration } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { useNow } from '../../ui/use-now.ts';
import { runnerWords } from './runner-words.ts';

/** The configured runners, and in words what each is doing. */
export function RunnersPanel() {
  const runnersById = useBenchState((state) => state.runnersById);
  const runners = Object.values(runnersById).sort((a, b) => (a.id < b.id ? -1 : 1));
  return (
    <Panel title="Runners" name="runners" aside={runners.length === 0 ? undefined : String(runners.length)}>
      {runners.length === 0 ? (
        <p className="empty muted">No runner is configured.</p>
      ) : (
        <ul className="list">
          {runners.map((runner) => (
            <RunnerRow key={runner.id} runner={runner} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function RunnerRow({ runner }: { runner: RunnerView }) {
  const now = useNow();
  const words = runnerWords(runner.status, now);
  return (
    <li className="item item-plain">
      <span className="item-line item-line-apart">
        <span className="item-title">{runner.name}</span>
        {runner.lastAnswerAt !== null && (
          <span className="muted small">GitLab answered {formatDuration(now - runner.lastAnswerAt)} ago</span>
        )}
      </span>
      <span className={`item-sub status tone-${words.tone}`}>
        <span className="status-dot" aria-hidden="true" />
        <span>
          {words.text}
          {words.remedy !== '' && <span className="muted"> {words.remedy}</span>}
        </span>
      </span>
      <span className="item-sub muted small">
        {runner.connection} · {hostOf(runner.gitlabUrl)} · {runner.machine}
      </span>
    </li>
  );
}

/** The address without its scheme, which nobody reads; as it is where it is no address. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
