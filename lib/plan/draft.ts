import { type ErrorCode, TsrunError } from '../core/error.ts';
import { namespaceTypes } from '../config/namespaces.ts';
import type { Config, NamespaceType } from '../config/types.ts';
import type { HostFacts } from '../host/facts.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { ProcessOptions, Refuse } from './types.ts';
import { slots, wireMaxSlots } from './wire.ts';

/** The namespace the container is in: the runtime's, a new one, or one that is joined. */
export type Isolation = 'shared' | 'new' | 'joined';

/** What the compilers of the subjects share while one plan is made. */
export class Draft {
  readonly config: Config;
  readonly facts: HostFacts;
  readonly options: ProcessOptions;
  readonly namespaces: Readonly<Record<NamespaceType, Isolation>>;
  readonly warnings: Finding[] = [];
  /** Others live in the pid namespace that the container's process comes into. */
  readonly visible: boolean;
  readonly #refuse: Refuse;
  #nextSlot: number = slots.first;

  /** @param entersContainer the process is one more of a container that exists (exec). */
  constructor(
    config: Config,
    facts: HostFacts,
    options: ProcessOptions,
    {
      entersContainer = false,
      refuse = throwIt,
    }: { entersContainer?: boolean; refuse?: Refuse | undefined } = {},
  ) {
    this.config = config;
    this.facts = facts;
    this.options = options;
    this.namespaces = isolation(config);
    this.visible = entersContainer || this.namespaces.pid === 'joined';
    this.#refuse = refuse;
  }

  get slotCount(): number {
    return this.#nextSlot;
  }

  /** The container has its own view of mounts; nothing may be mounted otherwise, it would be on the host. */
  get ownMounts(): boolean {
    return this.namespaces.mount !== 'shared';
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
    if (this.#nextSlot === wireMaxSlots) {
      const reason = `more than ${wireMaxSlots - slots.first} namespaces and mounts that need a descriptor`;
      this.refuse('unsupported', origin, reason);
    }
    return this.#nextSlot++;
  }

  /** Reports that this host cannot do what the config asks for. Compiling may go on, to report other errors. */
  refuse(code: ErrorCode, pointer: string, reason: string, hint?: string): void {
    this.#refuse(new TsrunError(code, reason, { pointer, hint }));
  }

  warn(pointer: string, reason: string): void {
    this.warnings.push(warning(pointer, reason));
  }
}

function throwIt(failure: TsrunError): never {
  throw failure;
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
