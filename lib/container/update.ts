import { sameDeviceRules } from '../cgroup/device-rules.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import { TsrunError, withSource } from '../core/error.ts';
import type { Sink } from '../core/finding.ts';
import { tellFrom } from '../core/finding.ts';
import type { Source } from '../core/source.ts';
import { parseDocument } from '../config/bundle.ts';
import type { Config, DeviceRule, Resources } from '../config/types.ts';
import { validateResources } from '../config/validate.ts';
import { findContainer, findFolder } from '../state/find-container.ts';
import type { Container } from '../state/find-container.ts';
import { ownCgroups } from './kill.ts';
import { lockContainer } from '../state/lock.ts';
import { changeResctrl } from './join-resctrl.ts';
import type { StateRoot } from '../state/state-root.ts';
import { storedConfig, writeRecord } from '../state/store.ts';
import { drawResources } from './update-resources.ts';
import type { ResourcesRequest } from './update-resources.ts';
import { drawSchemata, schemataWarnings } from './update-schemata.ts';
import type { SchemaChange } from './update-schemata.ts';

export interface UpdateRequest {
  root: StateRoot;
  id: string;
  log: Sink;
  resources: ResourcesRequest;
  /** For its class of Intel RDT, which may be others' too. */
  schemata: readonly SchemaChange[];
}

/**
 * Changes the limits of a container, paused or not, and its device rules if there are any: all or nothing, and if
 * that cannot be, the error says what stays changed. Throws 'state' with the words `container not running` for one
 * that has stopped.
 */
export function update({ root, id, log, ...request }: UpdateRequest): void {
  const resources = drawResources(request.resources);
  const schemata = drawSchemata(request.schemata);
  const sourceOf = (pointer: string): Source | undefined =>
    resources.sourceOf(pointer) ?? schemata.sourceOf(pointer);
  const warn = tellFrom(sourceOf, log.warn);
  withSource(sourceOf, () => {
    const { resources: limits, warnings } = validateResources(resources.value);
    [...warnings, ...schemataWarnings(schemata.intelRdt)].forEach(warn);
    const lock = lockContainer(findFolder(root, id));
    try {
      const found = findContainer(root, id);
      const manager = cgroupsOf(found);
      const undo = changeResctrl(found.record, schemata.intelRdt);
      try {
        change(found, manager, limits).forEach(warn);
      } catch (error) {
        undo();
        throw error;
      }
    } finally {
      lock.release();
    }
  });
}

function cgroupsOf({ record, status }: Container): CgroupManager {
  const manager = ownCgroups(record);
  if (manager !== undefined && ['created', 'running', 'paused'].includes(status)) return manager;
  throw new TsrunError('state', `container not running: ${record.id} is ${status}`);
}

/**
 * Engines send all of a container's resources for the sake of one. Device rules that it has already are left
 * alone: others may have allowed devices beside them.
 */
function change(
  found: Container,
  manager: CgroupManager,
  resources: Resources,
): ReturnType<CgroupManager['update']> {
  const { devices, ...limits } = resources;
  if (devices === undefined || devices.length === 0) return manager.update(limits);
  const { folder, record } = found;
  const before = presentDevices(found);
  if (before !== undefined && sameDeviceRules(before, devices)) return manager.update(limits);
  // Should tsrun be killed on the way, nobody knows which rules there are, so the next update starts anew.
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

/** The rules the container has; undefined when an update was killed. */
function presentDevices({ folder, record }: Container): DeviceRule[] | undefined {
  if (record.devices === 'unknown') return undefined;
  if (record.devices !== undefined) return record.devices;
  const { text, file } = storedConfig(folder);
  return (parseDocument(text, file) as Config).linux?.resources?.devices ?? [];
}
