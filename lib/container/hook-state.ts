import type { State, Status } from '../spec/types.ts';
import type { ContainerRecord } from './record.ts';

/** The state hooks read on stdin (runtime.md, "State"). The pid is left out once the container has stopped. */
export function hookState(record: ContainerRecord, status: Status): State {
  const { ociVersion, id, init, bundle, annotations } = record;
  return {
    ociVersion,
    id,
    status,
    ...(init === undefined || status === 'stopped' ? {} : { pid: init.pid }),
    bundle,
    ...(annotations === undefined ? {} : { annotations }),
  };
}
