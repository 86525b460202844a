import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { IntelRdt } from '../config/types.ts';
import { changeClass, joinClass, leaveClass, planClass, type ResctrlRecord } from './class.ts';
import { resctrlRoot } from './mount.ts';
import { hasSchema } from './schemata.ts';

/** Hardly any machine has resctrl: a tree of plain files, in which each write leaves its line. */
describe('resctrl', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsrun-resctrl-'));
    mkdirSync(join(root, 'info'));
    mkdirSync(join(root, 'mon_groups'));
    mkdirSync(join(root, 'shared', 'mon_groups'), { recursive: true });
    writeFileSync(join(root, 'shared', 'schemata'), '    L3:0=0007f0;1=1f\n    MB:0= 20;1= 70\n');
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const joined = (intelRdt: IntelRdt): ResctrlRecord => {
    const record = planClass(root, intelRdt, 'c1');
    joinClass(root, intelRdt, record, 77);
    return record;
  };
  const text = (...parts: string[]): string => readFileSync(join(root, ...parts), 'utf8');
  const refusal = (intelRdt: IntelRdt): TsrunError => {
    try {
      joined(intelRdt);
    } catch (error) {
      if (error instanceof TsrunError) return error;
    }
    throw new Error('not refused');
  };

  it('makes a class of the container’s own, which goes with it', () => {
    const record = joined({
      l3CacheSchema: 'L3:0=f',
      memBwSchema: 'MB:0=50',
      schemata: ['L2:0=1', 'L3:0=3'],
    });
    expect(record).to.deep.equal({ directory: join(root, 'c1'), ownsClass: true });
    expect(text('c1', 'schemata')).to.equal('L3:0=f\nMB:0=50\nL2:0=1\nL3:0=3\n');
    expect(text('c1', 'tasks')).to.equal('77');
    // In resctrl the files of a directory go with it.
    for (const name of ['schemata', 'tasks']) rmSync(join(root, 'c1', name));
    leaveClass(record);
    leaveClass(record);
    expect(existsSync(join(root, 'c1'))).to.equal(false);
  });

  it('takes no class for its own of which it cannot tell whether it is there', () => {
    const id = 'x'.repeat(300);
    const plan = (): unknown => planClass(root, {}, id);
    expect(plan).to.throw(TsrunError, /^look at .*file name too long \(ENAMETOOLONG\)/);
  });

  it('leaves no class behind whose schemata are refused', () => {
    // Of a directory whose path is nearly too long the files cannot be named.
    const deep = join(
      root,
      ...new Array<string>(Math.ceil((4080 - root.length) / 200)).fill('d'.repeat(199)),
    );
    const long = deep.slice(0, 4060).replace(/\/$/, '/d');
    mkdirSync(long, { recursive: true });
    const intelRdt = { closID: 'c'.repeat(4090 - long.length), l3CacheSchema: 'L3:0=f' };
    const record = planClass(long, intelRdt, 'c1');
    expect(record).to.include({ ownsClass: false });
    expect(() => {
      joinClass(long, intelRdt, record, 77);
    }).to.throw(TsrunError, 'ENAMETOOLONG');
    expect(existsSync(record.directory)).to.equal(false);
  });

  it('takes a class that is there, and leaves it there', () => {
    const record = joined({ closID: 'shared' });
    expect(record).to.deep.equal({ directory: join(root, 'shared'), ownsClass: false });
    expect(text('shared', 'schemata')).not.to.contain('\n\n');
    leaveClass(record);
    expect(text('shared', 'tasks')).to.equal('77');
  });

  it('makes a named class only when it is told its schemata, and leaves it there', () => {
    const error = refusal({ closID: 'new' });
    expect([error.code, error.pointer]).to.deep.equal(['config', '/linux/intelRdt/closID']);
    expect(existsSync(join(root, 'new'))).to.equal(false);
    const record = joined({ closID: 'new', schemata: ['L3:0=f'] });
    leaveClass(record);
    expect(text('new', 'schemata')).to.equal('L3:0=f\n');
  });

  it('does not take a class with other schemata', () => {
    expect(
      joined({ closID: 'shared', l3CacheSchema: 'L3:0=7F0;1=01f', memBwSchema: 'MB:1=70' }).ownsClass,
    ).to.equal(false);
    const error = refusal({ closID: 'shared', memBwSchema: 'MB:0=30' });
    expect(error.pointer).to.equal('/linux/intelRdt/memBwSchema');
    expect(error.hint).to.contain('MB:0= 20;1= 70');
  });

  it('has the default class as /', () => {
    expect(joined({ closID: '/' })).to.deep.equal({ directory: root, ownsClass: false });
    expect(text('tasks')).to.equal('77');
  });

  it('makes a monitoring group in the class, which goes with the container', () => {
    for (const closID of ['shared', '/']) {
      const record = joined({ closID, enableMonitoring: true });
      const group = join(record.directory, 'mon_groups', 'c1');
      expect(record.monitor).to.equal(group);
      expect(readFileSync(join(group, 'tasks'), 'utf8')).to.equal('77');
      rmSync(join(group, 'tasks'));
      leaveClass(record);
      expect(existsSync(group)).to.equal(false);
    }
    mkdirSync(join(root, 'mon_groups', 'c1'));
    expect(refusal({ closID: '/', enableMonitoring: true }).pointer).to.equal(
      '/linux/intelRdt/enableMonitoring',
    );
  });

  it('hands on what the kernel says', () => {
    writeFileSync(join(root, 'info', 'last_cmd_status'), 'Mask 5 has non-consecutive 1-bits\n');
    mkdirSync(join(root, 'shared', 'tasks'));
    const error = refusal({ closID: 'shared' });
    expect(error.message).to.match(/write .*\/shared\/tasks: /);
    expect(error.hint).to.contain('non-consecutive');
  });

  it('changes the schemata of a class, and takes that back', () => {
    const record = joined({ closID: 'shared' });
    const before = text('shared', 'schemata');
    const undo = changeClass(root, record.directory, { l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:1=50' });
    expect(text('shared', 'schemata')).to.equal(`${before}L3:0=f\nMB:1=50\n`);
    undo();
    expect(text('shared', 'schemata')).to.match(/\nMB:1=50\nMB:0= 20;1= 70\nL3:0=0007f0;1=1f\n$/);
  });

  it('says for which flag a schema is refused', () => {
    mkdirSync(join(root, 'broken', 'schemata'), { recursive: true });
    expect(() => changeClass(root, join(root, 'broken'), { memBwSchema: 'MB:0=1' }))
      .to.throw(TsrunError)
      .with.property('pointer', '/linux/intelRdt/memBwSchema');
  });

  it('is found in mountinfo', () => {
    const line = '30 25 0:27 / /sys/fs/res\\040ctrl rw - resctrl resctrl rw\n';
    expect(resctrlRoot(line)).to.equal('/sys/fs/res ctrl');
    expect(() => resctrlRoot('')).to.throw('no resctrl filesystem is mounted');
  });

  it('compares schemata by their values', () => {
    expect(hasSchema('  L3:0=00f;1=0f0\n', 'L3:1=F0')).to.equal(true);
    expect(hasSchema('L3:0=f\n', 'L3:2=f')).to.equal(false);
    expect(hasSchema('L3:0=f\n', 'L2:0=f')).to.equal(false);
    expect(hasSchema('L3:0=f\n', 'nonsense')).to.equal(false);
  });
});
