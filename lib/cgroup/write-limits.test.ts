import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeLimits } from './write-limits.ts';
import type { UsageCheck, CgroupWrite } from './cgroup-write.ts';
import { failure } from './testing/cgroups.ts';

describe('writeLimits', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-steps-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const locate = (controller: string): string | undefined => (controller === 'memory' ? folder : undefined);
  const check = (limit: bigint, ...files: string[]): UsageCheck => ({
    step: 'check',
    controller: 'memory',
    files,
    limit,
    pointer: '/linux/resources/memory/limit',
  });

  it('lets a limit equal what is in use, and not be lower', () => {
    writeFileSync(join(folder, 'memory.current'), '4096\n');
    writeFileSync(join(folder, 'memory.swap.current'), '1\n');
    expect(writeLimits([check(4096n, 'memory.current')], locate)).to.deep.equal([]);
    const error = failure(() => writeLimits([check(4095n, 'memory.current')], locate));
    expect(error).to.include({ code: 'config', pointer: '/linux/resources/memory/limit' });
    expect(error.message).to.equal('rejecting memory limit 4095 < usage 4096');

    const both = ['memory.current', 'memory.swap.current'];
    expect(writeLimits([check(4097n, ...both)], locate)).to.deep.equal([]);
    expect(failure(() => writeLimits([check(4096n, ...both)], locate)).message).to.equal(
      'rejecting memory+swap limit 4096 < usage 4097',
    );
  });

  it('takes what is not accounted as not in use', () => {
    expect(writeLimits([check(0n, 'absent')], locate)).to.deep.equal([]);
  });

  it('writes nothing when one of the limits has no cgroup', () => {
    const file = join(folder, 'memory.max');
    writeFileSync(file, '');
    const write: CgroupWrite = {
      step: 'write',
      controller: 'memory',
      file: 'memory.max',
      value: '1',
      pointer: '',
    };
    const other = { ...write, controller: 'pids', pointer: '/linux/resources/pids/limit' };
    expect(failure(() => writeLimits([write, other], locate)).pointer).to.equal(other.pointer);
    expect(() => writeLimits([write], locate)).to.not.throw();
  });
});
