import { useBenchState } from '../../mirror/bench-context.tsx';

const sampleConfig = `connections:
  - name: work
    url: https://gitlab.example.com
    runners:
      - name: build
        token-file: ~/work.token
        machine: debian-build`;

/** What will appear here, and what is missing until it does. */
export function NoMachines() {
  const hasRunners = useBenchState((state) => Object.keys(state.runnersById).length > 0);
  const lending = useBenchState((state) => state.lending);
  if (!hasRunners) return <ConnectGitLab />;
  return (
    <div className="empty">
      <p>No machine is running.</p>
      <p className="muted">
        {lending.isLending
          ? 'As soon as GitLab has a job for one of the runners below, its machine appears here with its trace.'
          : 'This machine is not lent now. Jobs are taken, and machines appear here, while it is.'}
      </p>
    </div>
  );
}

function ConnectGitLab() {
  return (
    <div className="empty">
      <p>No GitLab instance is connected yet.</p>
      <p className="muted">
        Once one is, each job that this bench takes gets a machine of its own, and appears here with its trace.
      </p>
      <ol className="muted">
        <li>
          In GitLab, open <em>Settings, CI/CD, Runners</em> of a project, group or instance, create a runner, and copy
          its token (it begins with <code>glrt-</code>).
        </li>
        <li>
          Save the token in a file that only you can read, and name both in{' '}
          <code>~/.config/forrest-bench/config.yaml</code>:
        </li>
      </ol>
      <pre className="sample">{sampleConfig}</pre>
      <p className="muted">The file is read again as soon as it is saved.</p>
    </div>
  );
}
