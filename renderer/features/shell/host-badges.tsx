import { useBenchState } from '../../mirror/bench-context.tsx';
import { Tip } from '../../ui/tip.tsx';

const accelerators = { kvm: 'KVM', tcg: 'TCG, slow' };
const egresses = { routed: 'Routed egress', filtered: 'Filtered egress' };

/** How machines run on this PC and how they reach the network; hover or focus says why. */
export function HostBadges() {
  const { accelerator, egress, qemuVersion } = useBenchState((state) => state.host);
  const qemu = qemuVersion === null ? '' : ` QEMU ${qemuVersion}.`;
  return (
    <div className="badges">
      <HostBadge
        text={accelerator === null ? 'Accelerator not probed' : accelerators[accelerator.kind]}
        why={accelerator === null ? 'The probe has not ended yet.' : `${accelerator.why}${qemu}`}
        isWarning={accelerator?.kind === 'tcg'}
      />
      <HostBadge
        text={egress === null ? 'Egress not probed' : egresses[egress.kind]}
        why={egress === null ? 'The probe has not ended yet.' : egress.why}
        isWarning={false}
      />
    </div>
  );
}

function HostBadge({ text, why, isWarning }: { text: string; why: string; isWarning: boolean }) {
  return (
    <Tip text={why}>
      <button type="button" className={isWarning ? 'badge badge-button tone-warning' : 'badge badge-button'}>
        {text}
      </button>
    </Tip>
  );
}
