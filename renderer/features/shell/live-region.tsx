import { useEffect, useState } from 'react';
import { announcement } from '../../mirror/announcement.ts';
import { useBench } from '../../mirror/bench-context.tsx';

/** Tells a screen reader what happened to runs, without taking it away from what it reads. */
export function LiveRegion() {
  const { mirror } = useBench();
  const [text, setText] = useState('');
  useEffect(
    () =>
      mirror.subscribe(({ bench }, before) => {
        if (bench === null || before.bench === null || bench === before.bench) return;
        const said = announcement(before.bench, bench);
        if (said !== '') setText(said);
      }),
    [mirror],
  );
  return (
    <div className="visually-hidden" aria-live="polite">
      {text}
    </div>
  );
}
