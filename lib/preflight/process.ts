import { capabilityMask, capabilityNumbers } from '../config/capabilities.ts';
import { error, warning } from '../core/finding.ts';
import { findNamespace } from '../config/namespaces.ts';
import { pointerTo } from '../core/pointer.ts';
import type { HostCheck, HostView } from './host-view.ts';

const sets = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;

/** config.md, "Linux Process": capabilities that cannot be had are left out. */
export const capabilities: HostCheck = ({ config: { process: processSpec, linux }, host }, report) => {
  for (const set of sets) {
    const names = processSpec?.capabilities?.[set] ?? [];
    for (const [i, name] of names.entries()) {
      if ((capabilityNumbers.get(name) ?? 0) <= (host.lastCapability ?? Infinity)) continue;
      report(
        warning(pointerTo('/process/capabilities', set, i), 'ignored: this kernel has no such capability'),
      );
    }
    // A user namespace has all of them, whoever makes it.
    if (findNamespace(linux, 'user') !== undefined) continue;
    const own = set === 'bounding' ? host.capabilities.bounding : host.capabilities.permitted;
    const missing = capabilityNames(capabilityMask(names) & ~own, host.lastCapability);
    if (missing !== '') {
      const reason = `ignored: ${missing} cannot be granted: tsrun itself is without`;
      report(warning(`/process/capabilities/${set}`, reason));
    }
  }
};

function capabilityNames(mask: bigint, last = Infinity): string {
  return [...capabilityNumbers]
    .filter(([, number]) => number <= last && ((mask >> BigInt(number)) & 1n) === 1n)
    .map(([name]) => name)
    .join(', ');
}

/** True when tsrun may raise what others may only lower; the kernel wants it in the initial user namespace. */
function mayRaise({ facts, capabilities: { permitted } }: HostView): boolean {
  return facts.privileged && (permitted & capabilityMask(['CAP_SYS_RESOURCE'])) !== 0n;
}

/** setrlimit(2). */
export const resourceLimits: HostCheck = ({ config: { process: processSpec }, host }, report) => {
  for (const [i, { type, hard }] of (processSpec?.rlimits ?? []).entries()) {
    const pointer = `${pointerTo('/process/rlimits', i)}/hard`;
    const most = type === 'RLIMIT_NOFILE' ? host.sysctl('fs/nr_open') : undefined;
    if (most !== undefined && BigInt(hard) > most) {
      report(error(pointer, `must not be above the sysctl fs.nr_open, ${most}`));
      continue;
    }
    const own = host.hardLimits.get(type);
    if (own === undefined || BigInt(hard) <= own || mayRaise(host)) continue;
    const hint = 'Raising a hard limit needs CAP_SYS_RESOURCE, which tsrun does not have here.';
    report(error(pointer, `is above the hard limit tsrun runs with, ${own}`, hint));
  }
};

/** proc_pid_oom_score_adj(5). */
export const oomScore: HostCheck = ({ config: { process: processSpec }, host }, report) => {
  const wanted = processSpec?.oomScoreAdj;
  if (wanted === undefined || wanted >= host.oomScoreAdj || mayRaise(host)) return;
  const reason = `is below that of tsrun, ${host.oomScoreAdj}: the kernel may refuse it`;
  const hint = 'Lowering it needs CAP_SYS_RESOURCE, which tsrun does not have here.';
  report(warning('/process/oomScoreAdj', reason, hint));
};
