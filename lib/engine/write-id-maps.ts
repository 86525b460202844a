import { closeSync, openSync, writeFileSync } from 'node:fs';
import { errnoOrRethrow } from '../core/errno.ts';
import { TsrunError, systemError } from '../core/error.ts';
import { idMapText } from '../config/id-maps.ts';
import type { HostFacts } from '../host/facts.ts';
import { hasNewNamespace } from '../config/namespaces.ts';
import type { IdMapping, Linux } from '../config/types.ts';
import { findProgram, searchPath } from '../host/search-path.ts';
import { runProgram } from './run-program.ts';

type Kind = 'uid' | 'gid';

/**
 * Writes the id maps of the new user namespace of process `pid` (user_namespaces(7)); does nothing without a new one.
 * Root writes them itself. Another user may map only their own id; newuidmap(1) and newgidmap(1) write all other maps,
 * as far as /etc/subuid and /etc/subgid grant the ids.
 * @throws TsrunError 'config', 'unsupported' or 'system' with the pointer of the mappings
 */
export function writeIdMaps(pid: number, linux: Linux | undefined, facts: Writer): void {
  if (!hasNewNamespace(linux, 'user')) return;
  writeMap('uid', pid, linux?.uidMappings ?? [], mapsDirectly('uid', linux, facts));
  const directly = mapsDirectly('gid', linux, facts);
  // An unprivileged process may write gid_map only when setgroups(2) is denied for good.
  if (directly && !isRoot(facts)) writeProc(pid, 'setgroups', 'deny', '/linux/gidMappings');
  writeMap('gid', pid, linux?.gidMappings ?? [], directly);
}

/** The error of writeIdMaps() when newuidmap(1) or newgidmap(1) is needed and missing; undefined otherwise. */
export function missingHelper(kind: Kind, linux: Linux | undefined, facts: Writer): TsrunError | undefined {
  if (!hasNewNamespace(linux, 'user') || mapsDirectly(kind, linux, facts)) return undefined;
  const helper = findHelper(kind);
  return helper instanceof TsrunError ? helper : undefined;
}

/** The user who writes the maps. */
type Writer = Pick<HostFacts, 'uid' | 'gid' | 'privileged'>;

function isRoot({ privileged, uid }: Writer): boolean {
  return privileged || uid === 0;
}

/** True when tsrun may write the map itself. */
function mapsDirectly(kind: Kind, linux: Linux | undefined, facts: Writer): boolean {
  return isRoot(facts) || isOwnId(linux?.[`${kind}Mappings`], facts[kind]);
}

function isOwnId(mappings: readonly IdMapping[] | undefined, id: number): boolean {
  const [only] = mappings ?? [];
  return mappings?.length === 1 && only?.size === 1 && only.hostID === id;
}

function writeMap(kind: Kind, pid: number, mappings: readonly IdMapping[], directly: boolean): void {
  const pointer = `/linux/${kind}Mappings`;
  if (mappings.length === 0) {
    throw new TsrunError('config', 'a new user namespace needs mappings', { pointer });
  }
  if (directly) writeProc(pid, `${kind}_map`, idMapText(mappings), pointer);
  else callHelper(kind, pid, mappings, pointer);
}

function writeProc(pid: number, name: string, text: string, pointer: string): void {
  const path = `/proc/${pid}/${name}`;
  try {
    // The kernel takes a map in one write(2) only.
    writeFileSync(path, text);
  } catch (error) {
    const errno = errnoOrRethrow(error);
    const lines = text.trim().split('\n');
    const shown = [...lines.slice(0, shownLines), ...(lines.length > shownLines ? ['…'] : [])];
    throw systemError(`write the id map ${path} (${shown.join(', ')})`, errno, {
      pointer,
      hint:
        text.length >= smallestPage
          ? `the kernel takes less than a page of text (user_namespaces(7)), these take ${text.length} bytes`
          : 'each host id must be one that tsrun may give away, and no id may be mapped twice',
    });
  }
}

const shownLines = 5;
const smallestPage = 4096;

function callHelper(kind: Kind, pid: number, mappings: readonly IdMapping[], pointer: string): void {
  const helper = findHelper(kind);
  if (helper instanceof TsrunError) throw helper;
  const { name, path } = helper;
  const ids = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  const stdin = openSync('/dev/null', 'r');
  try {
    const result = runProgram({
      path,
      args: [name, String(pid), ...ids],
      env: [`PATH=${searchPath()}`],
      stdin,
      cwd: '/',
    });
    if (result.status === 0) return;
    const said = result.stderr === '' ? `${name}: exit status ${result.status}` : result.stderr;
    throw new TsrunError('config', said.replaceAll(/\s*\n\s*/g, '; '), {
      pointer,
      hint: `/etc/sub${kind} must grant you the host ids of these mappings`,
    });
  } finally {
    closeSync(stdin);
  }
}

function findHelper(kind: Kind): { name: string; path: string } | TsrunError {
  const name = `new${kind}map`;
  const path = findProgram(name);
  if (path !== undefined) return { name, path };
  return new TsrunError('unsupported', `these ${kind} mappings need ${name}, which is not in $PATH`, {
    pointer: `/linux/${kind}Mappings`,
    hint: `install it (Debian: apt-get install uidmap) or map only your own ${kind}`,
  });
}
