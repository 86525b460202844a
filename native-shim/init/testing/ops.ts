import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespaces, namespaceTypes } from '../../../lib/config/namespaces.ts';
import type { NamespaceType } from '../../../lib/config/types.ts';
import { installation } from '../../../lib/native/install.ts';
import type { Message } from '../../../lib/engine/message-packet.ts';
import { messages, syncPoints } from '../../../lib/plan/wire.ts';
import { compileFilter } from '../../../lib/seccomp/compile.ts';
import type { TestOp } from './plan.ts';
import { type InitRequest, type InitResult, runInit } from './run.ts';
import { needRoot } from '../../../lib/testing/skip.ts';

export const { errno } = os;

/** CLONE_NEW* of clone(2). */
export const newNs = Object.fromEntries(
  namespaceTypes.map((type) => [type, namespaces[type].flag]),
) as Readonly<Record<NamespaceType, number>>;

export const clone = (flags = 0): TestOp => ({ op: 'clone', flags });
export const setup: TestOp = { op: 'sync', point: syncPoints.setup };

/** The plan's end: execute a program. */
export function program(args: readonly string[], env: readonly string[] = [], preserveFds = 0): TestOp[] {
  return [
    { op: 'findExecutable', name: args[0] ?? '', path: '/usr/bin:/bin' },
    { op: 'exec', args, env, preserveFds },
  ];
}

/** The plan's end: run a shell script. */
export function shell(script: string): TestOp[] {
  return program(['sh', '-c', script], ['PATH=/usr/bin:/bin']);
}

/** A filter that answers these system calls with an errno. */
export function denyWith(errnoRet: number, ...names: string[]): TestOp {
  const { program: code, flags } = compileFilter({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet }],
  });
  return { op: 'seccomp', flags, program: code };
}

export function runOps(ops: readonly TestOp[] | Buffer, request: Partial<InitRequest> = {}): InitResult {
  return runInit({ plan: ops, ...request });
}

/** Runs a plan that must work without a word, and returns what its program printed. */
export function outputOf(ops: readonly TestOp[], request: Partial<InitRequest> = {}): string {
  const result = runOps(ops, request);
  expect(result.messages).to.deep.equal([]);
  expect(result.stderr).to.equal('');
  expect(result.status).to.equal(0);
  return result.stdout;
}

/** Runs a plan that must fail, and returns its one message. */
export function errorOf(ops: readonly TestOp[] | Buffer, request: Partial<InitRequest> = {}): Message {
  const result = runOps(ops, request);
  expect(result.status).to.equal(1);
  expect(result.messages).to.have.length(1);
  const [message] = result.messages;
  if (message === undefined) throw new Error('no message');
  expect(message.type).to.equal(messages.error);
  return message;
}

/** Writes the id maps of B at the setup sync point, as the engine does. */
export function withMaps(uidMap: string, gidMap = uidMap): Partial<InitRequest> {
  return {
    atSync: (point, pid) => {
      if (point !== syncPoints.setup) return undefined;
      writeFileSync(`/proc/${String(pid)}/uid_map`, `${uidMap}\n`);
      writeFileSync(`/proc/${String(pid)}/gid_map`, `${gidMap}\n`);
      return undefined;
    },
  };
}

/** Runs the init in a mount namespace of its own in which `command` (sh) was executed. */
export function afterMounts(command: string, init = installation().init): readonly string[] {
  return ['/usr/bin/unshare', '-m', 'sh', '-c', `${command} && exec ${init} "$@"`, 'sh'];
}

/** `Name: value` lines, as in /proc/<pid>/status. */
export function fields(text: string): Map<string, string> {
  return new Map(
    text
      .split('\n')
      .map((line) => line.split(/:\s*/, 2))
      .map(([name = '', value = '']) => [name, value.trim()]),
  );
}

export interface Scratch {
  /** The absolute path of `name` in the folder; of the folder itself without a name. */
  path: (name?: string) => string;
  /** Writes a file into the folder and returns its path. */
  file: (name: string, content: string | Buffer, mode?: number) => string;
}

/** A folder for the tests of the surrounding `describe`, which need root. */
export function scratch(): Scratch {
  let folder = '';
  before(function () {
    // Namespaces, users and capabilities are the subject.
    needRoot(this);
    folder = mkdtempSync(join(tmpdir(), 'tsrun-init-test-'));
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });
  const path = (name = ''): string => join(folder, name);
  const file = (name: string, content: string | Buffer, mode = 0o755): string => {
    writeFileSync(path(name), content);
    chmodSync(path(name), mode);
    return path(name);
  };
  return { path, file };
}
