import { Unplug } from 'lucide-react';
import { useBench, useMirror } from '../../mirror/bench-context.tsx';
import { formatDuration } from '../../ui/format.ts';
import { useNow } from '../../ui/use-now.ts';

/** Says that what is shown may be old, and when the window tries to connect again. */
export function ConnectionNotice() {
  const connection = useMirror((mirror) => mirror.connection);
  const { retryNow } = useBench();
  const now = useNow();
  return (
    <div role="status" aria-label="Connection">
      {connection.kind === 'lost' && (
        <div className="disconnected">
          <Unplug size={16} aria-hidden="true" />
          <p>
            <strong>Disconnected.</strong> {connection.error.message}. {connection.error.remedy}{' '}
            {/* Not announced: it changes each second. */}
            <span className="muted" aria-hidden="true">
              {connection.retryAt > now
                ? `Trying again in ${formatDuration(connection.retryAt - now)}`
                : 'Trying again'}
            </span>
          </p>
          <button type="button" className="button" onClick={retryNow}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
