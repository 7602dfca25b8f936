import { Slider } from 'radix-ui';
import { useEffect, useReducer, useRef } from 'react';
import { toWireError } from '../../../electron/contract/errors.ts';
import type { CapacityView, Resources } from '../../../electron/contract/state.ts';
import { useBench, useBenchState, useIsLive } from '../../mirror/bench-context.tsx';
import { ErrorNote } from '../../ui/error-note.tsx';
import { Panel } from '../../ui/panel.tsx';
import { nextDraft, shownLent } from './capacity-draft.ts';
import { type CapacityScale, capacityScales, fromStep, shareOfHost, stepCount, toStep } from './capacity-scale.ts';

/** How long the core's own word may lag behind its answer before the sliders show what it last said. */
const settleMs = 2_000;

/** What of this PC is lent: a slider for each resource, with what runs and polls hold of it. */
export function CapacityPanel() {
  const { client } = useBench();
  const capacity = useBenchState((state) => state.capacity);
  const isLive = useIsLive();
  const [draft, dispatch] = useReducer(nextDraft, { kind: 'none' });
  const attempts = useRef(0);
  const lent = shownLent(capacity.lent, draft);

  useEffect(() => dispatch({ kind: 'mirrored', lent: capacity.lent }), [capacity.lent]);
  useEffect(() => {
    if (draft.kind !== 'settling') return;
    const timer = setTimeout(() => dispatch({ kind: 'mirrored', lent: capacity.lent }), settleMs);
    return () => clearTimeout(timer);
  }, [draft, capacity.lent]);

  async function commit(wanted: Resources) {
    attempts.current += 1;
    const attempt = attempts.current;
    dispatch({ kind: 'sent', wanted, attempt });
    try {
      await client.call('capacity.set', wanted);
      dispatch({ kind: 'saved', attempt });
    } catch (error) {
      dispatch({ kind: 'refused', attempt, error: toWireError(error) });
    }
  }

  return (
    <Panel title="Capacity" name="capacity" aside="lent to jobs">
      {capacityScales.map((scale) => (
        <CapacitySlider
          key={scale.key}
          scale={scale}
          lent={lent[scale.key]}
          capacity={capacity}
          isDisabled={!isLive}
          onDrag={(amount) => dispatch({ kind: 'dragged', wanted: { ...lent, [scale.key]: amount } })}
          onCommit={(amount) => commit({ ...lent, [scale.key]: amount })}
        />
      ))}
      {draft.kind === 'failed' && <ErrorNote error={draft.error} />}
    </Panel>
  );
}

interface CapacitySliderProps {
  scale: CapacityScale;
  lent: number;
  capacity: CapacityView;
  isDisabled: boolean;
  onDrag(amount: number): void;
  onCommit(amount: number): void;
}

function CapacitySlider({ scale, lent, capacity, isDisabled, onDrag, onCommit }: CapacitySliderProps) {
  const { host, reserved } = capacity;
  const max = stepCount(scale, host);
  const inUse = reserved[scale.key];
  const labelId = `capacity-${scale.key}`;
  return (
    <div className="capacity-row">
      <div className="capacity-words">
        <span id={labelId}>{scale.label}</span>
        <span className="small">
          <strong>{scale.show(lent)}</strong>
          <span className="muted"> of {scale.show(host[scale.key])}</span>
          {inUse > 0 && <span className="muted">, {scale.show(inUse)} held for jobs</span>}
        </span>
      </div>
      <Slider.Root
        className="slider"
        min={0}
        max={Math.max(1, max)}
        step={1}
        value={[toStep(scale, lent, host)]}
        disabled={isDisabled || max === 0}
        onValueChange={([step = 0]) => onDrag(fromStep(scale, step))}
        onValueCommit={([step = 0]) => onCommit(fromStep(scale, step))}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
          <span className="slider-reserved" style={{ width: `${shareOfHost(scale, inUse, host)}%` }} />
        </Slider.Track>
        <Slider.Thumb className="slider-thumb" aria-labelledby={labelId} aria-valuetext={`${scale.say(lent)} lent`} />
      </Slider.Root>
    </div>
  );
}
