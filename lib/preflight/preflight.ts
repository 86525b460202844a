import { preflightCgroups } from '../cgroup/preflight.ts';
import type { Blueprint } from '../container/prepare-container.ts';
import { compileBundle } from '../container/prepare-container.ts';
import type { CompileRequest } from '../container/create-request.ts';
import { TsrunError } from '../core/error.ts';
import { readHostFacts } from '../host/facts.ts';
import type { Bundle } from '../config/bundle.ts';
import type { Finding } from '../core/finding.ts';
import { error } from '../core/finding.ts';
import type { Check } from './check.ts';
import { disks, intelRdt, networkDevices } from './devices.ts';
import { hookPrograms, mountSources } from './files.ts';
import { readHostView } from './host-view.ts';
import { mountLabel, sysctls } from './kernel.ts';
import { resourceBounds } from './limits.ts';
import { idMapHelpers, namespacesAllowed, namespacesExist } from './namespaces.ts';
import { capabilities, oomScore, resourceLimits } from './process.ts';
import { setAside } from './set-aside.ts';

const checks: readonly Check[] = [
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
 */
export function preflight(bundle: Bundle, request: CompileRequest): Finding[] {
  const { findings, blueprint } = compileAll(bundle, request);
  const facts = blueprint?.facts ?? readHostFacts();
  const subject = { config: bundle.config, bundle: bundle.directory, host: readHostView(facts) };
  for (const check of checks) check(subject, (finding) => void findings.push(finding));
  if (blueprint !== undefined) {
    const resources = bundle.config.linux?.resources;
    findings.push(...preflightCgroups(blueprint.cgroup, resources, facts.kernel));
  }
  return findings;
}

/**
 * Compiling stops at the first error. To see the others, the property at fault is set aside and the rest compiled
 * again, until nothing is refused or nothing can be set aside.
 */
function compileAll(bundle: Bundle, request: CompileRequest): { findings: Finding[]; blueprint?: Blueprint } {
  const findings: Finding[] = [];
  const rest = { ...bundle, config: structuredClone(bundle.config) };
  const aside: string[] = [];
  for (;;) {
    try {
      const blueprint = compileBundle(rest, request, 'start');
      const { warnings } = blueprint.plan;
      findings.push(...warnings);
      return { findings, blueprint };
    } catch (failure) {
      if (!(failure instanceof TsrunError)) throw failure;
      const { pointer = '', reason, hint } = failure;
      // What is refused of the stand-in is not the user's fault.
      if (aside.some((gone) => `${pointer}/`.startsWith(`${gone}/`))) return { findings };
      findings.push(error(pointer, reason, hint));
      const gone = setAside(rest.config, pointer, bundle.directory);
      if (gone === undefined) return { findings };
      aside.push(gone);
    }
  }
}
