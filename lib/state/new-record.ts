import type { CgroupRecord } from '../cgroup/record.ts';
import { hasNamespace, hasNewNamespace } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';
import { timestamp } from '../core/rfc3339.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { processRef } from './process.ts';
import { type ContainerRecord, recordVersion } from './record.ts';
import { stdioKeys } from './stdio-keys.ts';

/** What the record of a container says before anything of it is made. */
export interface NewContainer {
  id: string;
  bundle: { config: Config; directory: string };
  rootfs: string;
  facts: { uid: number };
  cgroup: CgroupRecord;
  /** The process gets no session keyring of its own. */
  noNewKeyring: boolean;
  /** What becomes 0, 1 and 2 of the process. */
  stdio: StdioEnds;
}

/** The record of a container that this process is about to make. Device rules stay in the config, as they are long. */
export function newRecord(container: NewContainer): ContainerRecord {
  const { id, bundle, rootfs, facts, cgroup, noNewKeyring, stdio } = container;
  const { ociVersion, annotations, hooks, linux, process: program } = bundle.config;
  return {
    version: recordVersion,
    ociVersion,
    id,
    bundle: bundle.directory,
    rootfs,
    created: timestamp(),
    owner: facts.uid,
    ...(annotations === undefined ? {} : { annotations }),
    phase: 'creating',
    runtime: processRef(process.pid),
    cgroup,
    ownsCgroup: false,
    ownPids: hasNewNamespace(linux, 'pid'),
    ownNetwork: hasNamespace(linux, 'network'),
    ...((linux?.resources?.devices ?? []).length === 0 ? { devices: [] } : {}),
    ...(noNewKeyring ? { noNewKeyring } : {}),
    ...(program?.terminal === true ? {} : { stdio: stdioKeys(stdio) }),
    hooks: {
      ...(hooks?.poststart === undefined ? {} : { poststart: hooks.poststart }),
      ...(hooks?.poststop === undefined ? {} : { poststop: hooks.poststop }),
    },
  };
}
