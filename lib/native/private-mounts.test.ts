import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { withPrivateBind } from './private-mounts.ts';
import { needRoot } from '../testing/skip.ts';

/** Of this thread alone: the others never leave the namespace of the process. */
const namespace = (): string => readlinkSync('/proc/thread-self/ns/mnt');

describe('a mount namespace for one step', () => {
  let folder: string;
  let source: string;
  let target: string;

  before(function () {
    needRoot(this);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-private-'));
    [source, target] = [join(folder, 'source'), join(folder, 'target')];
    for (const path of [source, target]) mkdirSync(path);
    writeFileSync(join(source, 'file'), 'content');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('has a mount that exists nowhere else', () => {
    const [outside, cwd] = [namespace(), process.cwd()];
    const inside = withPrivateBind(source, target, () => {
      expect(readFileSync(join(target, 'file'), 'utf8')).to.equal('content');
      return namespace();
    });
    expect(inside).not.to.equal(outside);
    expect(namespace()).to.equal(outside);
    expect(process.cwd()).to.equal(cwd);
    expect(existsSync(join(target, 'file'))).to.equal(false);
  });

  it('loses mounts that the host unmounts meanwhile', () => {
    const host = openSync('/proc/thread-self/ns/mnt', 'r');
    const nsenter = ['--mount=/proc/self/fd/3', '--'];
    const onHost = (...command: string[]): void => {
      execFileSync('nsenter', [...nsenter, ...command], { stdio: ['ignore', 'pipe', 'pipe', host] });
    };
    // What is unmounted goes the way of the mount it was on.
    const shared = join(folder, 'shared');
    const mounted = join(shared, 'mounted');
    mkdirSync(shared);
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', shared]);
    execFileSync('mount', ['--make-shared', shared]);
    mkdirSync(mounted);
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', mounted]);
    try {
      withPrivateBind(source, target, () => {
        const table = (): string => readFileSync('/proc/thread-self/mountinfo', 'utf8');
        expect(table()).to.include(mounted);
        onHost('umount', mounted);
        expect(table()).not.to.include(mounted);
      });
    } finally {
      closeSync(host);
      spawnSync('umount', ['--recursive', shared], { stdio: 'ignore' });
    }
  });

  it('is left when the step or the mount fails', () => {
    const outside = namespace();
    const fail = (): never => {
      throw new Error('of the step');
    };
    expect(() => withPrivateBind(source, target, fail)).to.throw('of the step');
    expect(namespace()).to.equal(outside);
    expect(() => {
      withPrivateBind(source, join(folder, 'missing'), () => undefined);
    }).to.throw('ENOENT');
    expect(namespace()).to.equal(outside);
  });

  it('is left also when the engine has started a thread meanwhile', async () => {
    const outside = namespace();
    const worker = withPrivateBind(
      source,
      target,
      () => new Worker('setInterval(() => undefined, 1000)', { eval: true }),
    );
    try {
      expect(namespace()).to.equal(outside);
      expect(existsSync(join(target, 'file'))).to.equal(false);
    } finally {
      await worker.terminate();
    }
  });
});
