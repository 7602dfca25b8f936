import { TriangleAlert } from 'lucide-react';
import type { WireError } from '../../electron/contract/errors.ts';

/** What went wrong and what can be done, beside the control that it concerns. */
export function ErrorNote({ error }: { error: WireError }) {
  return (
    <div className="error-note" role="alert">
      <TriangleAlert size={14} aria-hidden="true" />
      <div>
        <p>{error.message}</p>
        {error.remedy !== '' && <p className="muted">{error.remedy}</p>}
      </div>
    </div>
  );
}
