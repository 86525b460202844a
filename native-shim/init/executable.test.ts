import { expect } from 'chai';
import { mkdirSync, readFileSync } from 'node:fs';
import type { Message } from '../../lib/engine/message-packet.ts';
import { faults } from '../../lib/plan/wire.ts';
import { clone, errno, errorOf, outputOf, scratch } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';

describe('init: the executable', () => {
  const { path, file } = scratch();

  const find = (name: string, path: string): TestOp[] => [
    clone(),
    { op: 'findExecutable', name, path },
    { op: 'exec', args: [name], env: [], preserveFds: 0 },
  ];

  it('is searched in PATH as execvp does', () => {
    mkdirSync(path('bin1/tool'), { recursive: true });
    mkdirSync(path('bin2'));
    mkdirSync(path('bin3'));
    file('bin2/tool', '#!/bin/sh\necho found\n', 0o644);
    expect(errorOf(find('tool', `${path()}/bin1:${path()}/bin2`))).to.include({
      op: 1,
      errno: errno.EACCES,
      detail: `${path()}/bin1/tool`,
    });
    file('bin3/tool', '#!/bin/sh\necho found\n');
    const directories = `/nowhere:${path()}/bin1:${path()}/bin2:${path()}/bin3`;
    expect(outputOf(find('tool', directories))).to.equal('found\n');
    expect(
      outputOf([
        clone(),
        { op: 'workingDirectory', path: `${path()}/bin3`, create: 0 },
        ...find('tool', '').slice(1),
      ]),
    ).to.equal('found\n');
    expect(errorOf(find('no-such-tool', directories))).to.include({
      op: 1,
      errno: errno.ENOENT,
      detail: 'executable file not found in $PATH',
    });
    expect(errorOf(find('', directories))).to.include({ errno: errno.ENOENT });
    expect(errorOf(find('tool', 'x'.repeat(5000)))).to.include({ errno: errno.ENOENT });
  });

  it('is refused when its path is missing, no file or not executable', () => {
    expect(errorOf(find('/no/such', ''))).to.include({ op: 1, errno: errno.ENOENT, detail: '/no/such' });
    expect(errorOf(find('/etc/', ''))).to.include({ errno: errno.EACCES, detail: '/etc/ is a directory' });
    const plain = file('plain', 'x', 0o644);
    expect(errorOf(find(plain, ''))).to.include({ op: 1, errno: errno.EACCES, detail: plain });
    expect(errorOf(find(`${plain}/x`, ''))).to.include({ errno: errno.ENOTDIR });
  });

  it('is explained when execve refuses it', () => {
    const explained = (name: string): Message => errorOf(find(name, ''));
    expect(explained(file('script', '#!/no/interpreter -x\n'))).to.include({
      op: 2,
      errno: errno.ENOENT,
      value: faults.interpreter,
      detail: `${path()}/script exists, but not its interpreter /no/interpreter`,
    });
    const self = readFileSync('/bin/true');
    const other = Buffer.from(self);
    other.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
    expect(explained(file('foreign', other)).detail).to.match(
      /foreign is a program for (aarch64|x86_64), this machine is (x86_64|aarch64)$/,
    );
    const loader = /\/lib[^\0]*ld-linux[^\0]*/.exec(self.toString('latin1'))?.[0] ?? '';
    const orphan = Buffer.from(
      self.toString('latin1').replace(loader, loader.replace('/lib', '/LIB')),
      'latin1',
    );
    expect(explained(file('orphan', orphan))).to.include({
      errno: errno.ENOENT,
      detail: `${path()}/orphan exists, but not its interpreter ${loader.replace('/lib', '/LIB')}`,
    });
    expect(explained(file('text', 'hello\n'))).to.include({
      errno: errno.ENOEXEC,
      detail: `${path()}/text is neither a program nor a script (#!)`,
    });
    expect(explained(file('empty', ''))).to.include({
      errno: errno.ENOEXEC,
      detail: `${path()}/empty is empty`,
    });
    expect(explained(file('stump', self.subarray(0, 40))).errno).to.equal(errno.ENOEXEC);
  });
});
