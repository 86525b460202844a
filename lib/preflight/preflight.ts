import { preflightCgroups } from '../cgroup/preflight.ts';
import { compileBundle, impossibleCgroup } from '../container/prepare-container.ts';
import type { CompileRequest } from '../container/create-request.ts';
import type { Bundle } from '../config/bundle.ts';
import { error, type Finding, type Report } from '../core/finding.ts';
import { type HostCheck, readHostView } from './host-view.ts';
import { disks, intelRdt, networkDevices } from './devices.ts';
import { hookPrograms, mountSources } from './files.ts';
import { mountLabel, sysctls } from './kernel.ts';
import { resourceBounds } from './resources.ts';
import { idMapHelpers, namespacesAllowed, namespacesExist } from './namespaces.ts';
import { capabilities, oomScore, resourceLimits } from './process.ts';

const checks: readonly HostCheck[] = [
  capabilities,
  resourceLimits,
  oomScore,
  namespacesExist,
  namespacesAllowed,
  idMapHelpers,
  mountSources,
  hookPrograms,
  sysctls,
  mountLabel,
  networkDevices,
  disks,
  intelRdt,
  resourceBounds,
];

/**
 * What this host would refuse or ignore of a bundle whose config agrees with the schema: what compiling the plan
 * says, and what would show only later. Creates nothing.
 *
 * @param isValid the config has no error by itself.
 */
export function preflight(bundle: Bundle, request: CompileRequest, isValid: boolean): Finding[] {
  const findings: Finding[] = [];
  const report: Report = (finding) => void findings.push(finding);
  const { facts, cgroup, plan } = compileBundle(bundle, request, 'start', (failure) => {
    const { code, pointer = '', reason, hint } = failure;
    if (code !== 'internal') report(error(pointer, reason, hint));
    // What is wrong with the config may keep it from being compiled, and is reported already.
    else if (isValid) throw failure;
  });
  plan.warnings.forEach(report);
  const subject = { config: bundle.config, bundle: bundle.directory, host: readHostView(facts) };
  for (const check of checks) check(subject, report);
  if (cgroup !== impossibleCgroup) {
    preflightCgroups(cgroup, bundle.config.linux?.resources, facts.kernel).forEach(report);
  }
  return findings;
}
