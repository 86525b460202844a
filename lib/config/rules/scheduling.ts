import { error, type Report, warning } from '../../core/finding.ts';
import { isNumberList, numberMask } from '../number-list.ts';
import { pointerTo } from '../../core/pointer.ts';
import { maxMemoryNodes } from '../scheduling.ts';
import type { Config, Process, Scheduler } from '../types.ts';

const at = '/process/scheduler';

/** sched_setattr(2): which attributes a policy has, and their ranges. */
export function scheduler({ scheduler }: Process, report: Report): void {
  if (scheduler === undefined) return;
  if (scheduler.policy === 'SCHED_ISO') {
    report(error(`${at}/policy`, 'Linux reserves this policy but does not implement it'));
  }
  clamps(scheduler, report);
  niceness(scheduler, report);
  priority(scheduler, report);
  deadline(scheduler, report);
}

/** The specification has the flags but no property for the values. */
function clamps({ flags = [] }: Scheduler, report: Report): void {
  flags.forEach((flag, i) => {
    if (!flag.startsWith('SCHED_FLAG_UTIL_CLAMP_')) return;
    report(warning(pointerTo(at, 'flags', i), 'there is no property for the value; the clamp is set to 0'));
  });
}

function niceness({ policy, nice = 0 }: Scheduler, report: Report): void {
  if ((policy === 'SCHED_OTHER' || policy === 'SCHED_BATCH') && (nice < -20 || nice > 19)) {
    report(error(`${at}/nice`, 'must be from -20 to 19'));
  } else if (
    nice !== 0 &&
    (policy === 'SCHED_FIFO' || policy === 'SCHED_RR' || policy === 'SCHED_DEADLINE')
  ) {
    report(warning(`${at}/nice`, `has no effect with ${policy}`));
  }
}

function priority({ policy, priority = 0 }: Scheduler, report: Report): void {
  const realTime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
  if (realTime && (priority < 1 || priority > 99)) {
    report(error(`${at}/priority`, `must be from 1 to 99 for ${policy}`));
  } else if (!realTime && priority !== 0) {
    report(error(`${at}/priority`, 'is only for SCHED_FIFO and SCHED_RR'));
  }
}

function deadline({ policy, ...times }: Scheduler, report: Report): void {
  const { runtime = 0, deadline = 0, period = 0 } = times;
  if (policy !== 'SCHED_DEADLINE') {
    for (const name of ['runtime', 'deadline', 'period'] as const) {
      if (Number(times[name] ?? 0) !== 0) report(error(`${at}/${name}`, 'is only for SCHED_DEADLINE'));
    }
    return;
  }
  // DL_SCALE of the kernel: it counts in units of 1024 ns.
  if (runtime < 1024) report(error(`${at}/runtime`, 'must be at least 1024 nanoseconds for SCHED_DEADLINE'));
  if (runtime > deadline) report(error(`${at}/runtime`, 'must not be above the deadline'));
  // A period of 0 is the deadline.
  if (period > 0 && deadline > period) report(error(`${at}/deadline`, 'must not be above the period'));
}

/** config.md: both are required; other runtimes take a missing priority for 0. */
export function ioPriority({ ioPriority }: Process, report: Report): void {
  if (ioPriority === undefined || ioPriority.priority !== undefined) return;
  report(warning('/process/ioPriority/priority', 'required property is missing; 0 is used'));
}

/** set_mempolicy(2): which modes want nodes. */
export function memoryPolicy({ linux }: Config, report: Report): void {
  const policy = linux?.memoryPolicy;
  if (policy === undefined) return;
  const { mode, nodes = '', flags = [] } = policy;
  if (nodes !== '' && !isNumberList(nodes)) {
    report(error('/linux/memoryPolicy/nodes', 'must be a list like 0-3,7'));
  } else if (numberMask(nodes, maxMemoryNodes) === undefined) {
    report(error('/linux/memoryPolicy/nodes', `no node has a number above ${maxMemoryNodes - 1}`));
  } else if ((mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL') && nodes !== '') {
    report(error('/linux/memoryPolicy/nodes', `must be empty for ${mode}`));
  } else if (mode !== 'MPOL_DEFAULT' && mode !== 'MPOL_LOCAL' && mode !== 'MPOL_PREFERRED' && nodes === '') {
    report(error('/linux/memoryPolicy/nodes', `${mode} needs at least one node`));
  }
  if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES')) {
    report(error('/linux/memoryPolicy/flags', 'nodes are either static or relative'));
  }
  // MPOL_F_NUMA_BALANCING came for MPOL_BIND, and Linux 6.x took MPOL_PREFERRED_MANY in.
  if (flags.includes('MPOL_F_NUMA_BALANCING') && mode !== 'MPOL_BIND' && mode !== 'MPOL_PREFERRED_MANY') {
    report(
      error('/linux/memoryPolicy/flags', 'MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY'),
    );
  }
}

/** config-linux.md, "Personality": no flag is defined yet, and unsupported values are errors. */
export function personality({ linux }: Config, report: Report): void {
  if ((linux?.personality?.flags ?? []).length > 0) {
    report(error('/linux/personality/flags', 'no flags are supported'));
  }
}
