import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { cgroupManager } from './cgroup-manager.ts';
import { processesBelow } from './processes.ts';
import { removeCgroups } from './remove.ts';
import { TestCgroups } from './testing/cgroups.ts';
import { inside, walk } from './walk.ts';
import { needRoot } from '../testing/skip.ts';

describe('cgroups that a container has nested', () => {
  let cgroups: TestCgroups;
  let root = '';
  before(function () {
    needRoot(this);
  });
  beforeEach(() => {
    cgroups = new TestCgroups();
    const record = cgroups.record();
    cgroupManager(record).create();
    root = Object.values(record.paths)[0] ?? '';
  });
  afterEach(async () => {
    await cgroups.cleanUp();
  });

  it('are found and removed when a name is not UTF-8', () => {
    const odd = inside(root, Buffer.from('a\xffb', 'latin1'));
    mkdirSync(odd);
    const child = inside(odd, Buffer.from('\xfe', 'latin1'));
    mkdirSync(child);
    const { pid } = cgroups.shell('exec sleep 100');
    writeFileSync(inside(child, 'cgroup.procs'), String(pid));
    expect(processesBelow(root)).to.deep.equal([pid]);
    let visited = 0;
    walk(root, () => visited++);
    expect(visited).to.equal(3);
    process.kill(pid, 'SIGKILL');
    removeCgroups([root]);
    expect(existsSync(root)).to.equal(false);
  });

  it('are removed when their path is too long in bytes, though not in characters', () => {
    const before = process.cwd();
    try {
      process.chdir(root);
      for (let level = 0; level < 20; level++) {
        mkdirSync('\u4e2d'.repeat(80));
        process.chdir('\u4e2d'.repeat(80));
      }
    } finally {
      process.chdir(before);
    }
    removeCgroups([root]);
    expect(existsSync(root)).to.equal(false);
  });
});
