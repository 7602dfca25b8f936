import { TriangleAlert } from 'lucide-react';
import { useBenchState } from '../../mirror/bench-context.tsx';

/** What is wrong now and can be mended. It goes away by itself. */
export function Problems() {
  const problems = useBenchState((state) => state.problems);
  return (
    <div role="status" aria-label="Problems">
      {problems.length > 0 && (
        <ul className="problems">
          {problems.map((problem) => (
            <li key={problem.id} className="problem">
              <TriangleAlert size={16} aria-hidden="true" />
              <div>
                <p>
                  <strong>{problem.message}</strong> <code className="muted">{problem.code}</code>
                </p>
                <p>{problem.remedy}</p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
