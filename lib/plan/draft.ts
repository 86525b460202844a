import { TsrunError } from '../core/error.ts';
import { namespaceTypes } from '../config/namespaces.ts';
import type { Config, NamespaceType } from '../config/types.ts';
import type { HostFacts } from '../host/facts.ts';
import type { PlanOptions } from './types.ts';
import type { Finding } from '../core/finding.ts';
import { warning } from '../core/finding.ts';
import { slots, wireMaxSlots } from './wire.ts';
import type { Op } from './wire.ts';

/** Whose namespace the container is in: the runtime's, a fresh one, or one that exists. */
export type Isolation = 'shared' | 'new' | 'joined';

/** What the compilers of the subjects share while one plan is made. */
export class Draft {
  readonly config: Config;
  readonly facts: HostFacts;
  readonly options: PlanOptions;
  readonly namespaces: Readonly<Record<NamespaceType, Isolation>>;
  readonly warnings: Finding[] = [];

  /** Operations of process A that prepare detached mounts; they run before A leaves the caller's namespaces. */
  readonly sources: Op[] = [];
  /** The slot of a joined namespace, until A has entered it. */
  readonly namespaceSlots = new Map<NamespaceType, number>();
  /** Slots of the files of members of its cgroups. */
  readonly cgroupSlots: number[] = [];
  /** Slots of the user namespaces made for idmapped mounts, by their maps. */
  readonly idmapSlots = new Map<string, number>();

  #nextSlot: number = slots.first;

  constructor(config: Config, facts: HostFacts, options: PlanOptions) {
    this.config = config;
    this.facts = facts;
    this.options = options;
    this.namespaces = isolation(config);
  }

  get slotCount(): number {
    return this.#nextSlot;
  }

  /** The container has its own view of mounts; nothing may be mounted otherwise, it would be on the host. */
  get ownMounts(): boolean {
    return this.namespaces.mount !== 'shared';
  }

  /** Others live in the pid namespace that the container's process comes into. */
  get visible(): boolean {
    return this.options.entersContainer === true || this.namespaces.pid === 'joined';
  }

  get inUserNamespace(): boolean {
    return this.namespaces.user !== 'shared';
  }

  /** mknod(2) of devices needs CAP_MKNOD in the initial user namespace (user_namespaces(7)). */
  get canMakeDevices(): boolean {
    return this.facts.privileged && !this.inUserNamespace;
  }

  /** Takes a new slot. `origin` is named when there are too many. */
  slot(origin: string): number {
    if (this.#nextSlot >= wireMaxSlots) {
      throw new TsrunError(
        'unsupported',
        `more than ${wireMaxSlots - slots.first} namespaces and mounts that need a descriptor`,
        { pointer: origin },
      );
    }
    return this.#nextSlot++;
  }

  warn(pointer: string, reason: string): void {
    this.warnings.push(warning(pointer, reason));
  }
}

function isolation(config: Config): Record<NamespaceType, Isolation> {
  const result = Object.fromEntries(namespaceTypes.map((type) => [type, 'shared'])) as Record<
    NamespaceType,
    Isolation
  >;
  for (const { type, path } of config.linux?.namespaces ?? []) {
    // An empty path is what Go programs write for "none".
    result[type] = path === undefined || path === '' ? 'new' : 'joined';
  }
  return result;
}

/** The pointer when the config has the value, '' (always done) when the value is a default. */
export function originOf(value: unknown, pointer: string): string {
  return value === undefined ? '' : pointer;
}
