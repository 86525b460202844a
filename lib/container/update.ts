import { sameDeviceRules } from '../cgroup/device-rules.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import { TsrunError, withSource } from '../core/error.ts';
import { type Finding, type Sink, stopAtError, tellFrom } from '../core/finding.ts';
import type { Source } from '../core/source.ts';
import type { DeviceRule, IntelRdt, Resources } from '../config/types.ts';
import { intelRdt as checkIntelRdt } from '../config/rules/intel-rdt.ts';
import { validateResources } from '../config/validate.ts';
import type { Container } from '../state/find-container.ts';
import { ownCgroups } from '../state/own-cgroups.ts';
import { withLockedContainer } from '../state/lock.ts';
import { changeResctrl } from './join-resctrl.ts';
import type { StateRoot } from '../state/state-root.ts';
import { writeRecord } from '../state/store.ts';
import { readStoredConfig } from '../state/stored-config.ts';
import {
  requestedResources,
  requestedSchemata,
  type ResourcesRequest,
  type SchemaChange,
} from './update-request.ts';

export interface UpdateRequest {
  root: StateRoot;
  id: string;
  log: Sink;
  resources: ResourcesRequest;
  /** For its class of Intel RDT, which other containers may be in, too. */
  schemata: readonly SchemaChange[];
}

/**
 * Changes the limits of a container, its device rules if there are new ones, and the schemata of its class: all of
 * them or none. If what was changed cannot be taken back, the error says what.
 *
 * @throws TsrunError 'config' for a value that is not valid; 'state' with the words `container not running` for a
 * container that has stopped; 'system' when the kernel refuses a value
 */
export function updateContainer({ root, id, log, ...request }: UpdateRequest): void {
  const resources = requestedResources(request.resources);
  const schemata = requestedSchemata(request.schemata);
  const sourceOf = (pointer: string): Source | undefined =>
    resources.sourceOf(pointer) ?? schemata.sourceOf(pointer);
  const warn = tellFrom(sourceOf, log.warn);
  withSource(sourceOf, () => {
    const { resources: limits, warnings } = validateResources(resources.value);
    [...warnings, ...schemataWarnings(schemata.value)].forEach(warn);
    withLockedContainer(root, id, (container) => {
      const manager = cgroupsOf(container);
      const undo = changeResctrl(container.record, schemata.value);
      try {
        updateCgroups(container, manager, limits).forEach(warn);
      } catch (error) {
        undo();
        throw error;
      }
    });
  });
}

function schemataWarnings(intelRdt: IntelRdt): Finding[] {
  const warnings: Finding[] = [];
  checkIntelRdt(intelRdt, stopAtError(warnings));
  return warnings;
}

function cgroupsOf({ record, status }: Container): CgroupManager {
  const manager = ownCgroups(record);
  if (manager !== undefined && ['created', 'running', 'paused'].includes(status)) return manager;
  throw new TsrunError('state', `container not running: ${record.id} is ${status}`);
}

/**
 * Leaves device rules alone that the container has already, since engines send all resources to change one of them:
 * other programs may have added rules.
 */
function updateCgroups(
  container: Container,
  manager: CgroupManager,
  resources: Resources,
): ReturnType<CgroupManager['update']> {
  const { devices, ...limits } = resources;
  if (devices === undefined || devices.length === 0) return manager.update(limits);
  const { folder, record } = container;
  const before = presentDevices(container);
  if (before !== undefined && sameDeviceRules(before, devices)) return manager.update(limits);
  // If tsrun is killed on the way, the next update knows that it must set all rules.
  writeRecord(folder, { ...record, devices: 'unknown' });
  let after: DeviceRule[] | 'unknown' = before ?? 'unknown';
  try {
    const warnings = manager.update(resources, before);
    after = devices;
    return warnings;
  } finally {
    writeRecord(folder, { ...record, devices: after });
  }
}

/** The device rules that the container has; undefined after an update that was killed. */
function presentDevices({ folder, record }: Container): DeviceRule[] | undefined {
  if (record.devices === 'unknown') return undefined;
  if (record.devices !== undefined) return record.devices;
  return readStoredConfig(folder).linux?.resources?.devices ?? [];
}
