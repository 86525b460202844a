import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { requestedResources, requestedSchemata, withChanges } from './update-request.ts';

describe('the resources that update is asked for', () => {
  const memory = { flag: '--memory', group: 'memory', name: 'limit', value: 5 };
  const pids = { flag: '--pids-limit', group: 'pids', name: 'limit', value: 7 };

  it('are the limits of the command line', () => {
    const { value, sourceOf } = requestedResources({ changes: [memory, pids] });
    expect(value).to.deep.equal({ memory: { limit: 5 }, pids: { limit: 7 } });
    expect(sourceOf('/linux/resources/memory/limit')).to.deep.equal({ flag: '--memory' });
    expect(sourceOf('/linux/resources/cpu/shares')).to.equal(undefined);
  });

  it('are those of the file, whose other limits stay', () => {
    const given = { memory: { limit: 1, swap: 2 }, cpu: { shares: 3 } };
    expect(withChanges(given, [memory])).to.deep.equal({
      memory: { limit: 5, swap: 2 },
      cpu: { shares: 3 },
    });
    expect(given.memory.limit).to.equal(1);
    expect(withChanges(given, [])).to.equal(given);
  });

  it('are left to the validation when they are of the wrong type', () => {
    for (const value of [null, [], 'x', 1]) expect(withChanges(value, [memory])).to.equal(value);
    expect(withChanges({ memory: [1] }, [memory])).to.deep.equal({ memory: { limit: 5 } });
  });

  it('are found again in the file or on the command line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsrun-update-'));
    try {
      const file = join(folder, 'r.json');
      const text = '{ "memory": { "limit": 1 }, "cpu": { "shares": 2 } }';
      writeFileSync(file, text);
      const { value, sourceOf } = requestedResources({ file, changes: [memory] });
      expect(value).to.deep.equal({ memory: { limit: 5 }, cpu: { shares: 2 } });
      expect(sourceOf('/linux/resources/memory/limit')).to.deep.equal({ flag: '--memory' });
      expect(sourceOf('/linux/resources/cpu/shares')).to.deep.equal({ file, text, base: '/linux/resources' });
      expect(sourceOf('/linux/intelRdt/l3CacheSchema')).to.equal(undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have schemata of their own flags', () => {
    const { value, sourceOf } = requestedSchemata([
      { flag: '--l3-cache-schema', name: 'l3CacheSchema', line: 'L3:0=f' },
    ]);
    expect(value).to.deep.equal({ l3CacheSchema: 'L3:0=f' });
    expect(sourceOf('/linux/intelRdt/l3CacheSchema')).to.deep.equal({ flag: '--l3-cache-schema' });
    expect(sourceOf('/linux/intelRdt/memBwSchema')).to.equal(undefined);
  });
});
