import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { parseMountinfo } from './mountinfo.ts';

describe('mountinfo', () => {
  it('is parsed with its optional fields', () => {
    const text =
      '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 propagate_from:2 - ext3 /dev/root\\040a rw,errors=continue\n' +
      '37 36 0:5 / / ro - tmpfs none rw\n';
    expect(parseMountinfo(text)).to.deep.equal([
      {
        id: 36,
        parentId: 35,
        device: '98:0',
        root: '/mnt1',
        mountpoint: '/mnt 2',
        options: ['rw', 'noatime'],
        propagation: ['master:1', 'propagate_from:2'],
        type: 'ext3',
        source: '/dev/root a',
        superOptions: ['rw', 'errors=continue'],
      },
      {
        id: 37,
        parentId: 36,
        device: '0:5',
        root: '/',
        mountpoint: '/',
        options: ['ro'],
        propagation: [],
        type: 'tmpfs',
        source: 'none',
        superOptions: ['rw'],
      },
    ]);
  });

  it('unescapes each path once, and takes a source without a name', () => {
    const [entry] = parseMountinfo('1 2 0:1 /a\\134040b /t\\011n\\012\\134 rw shared:1 - fuse  rw\n');
    expect(entry).to.include({ root: '/a\\040b', mountpoint: '/t\tn\n\\', type: 'fuse', source: '' });
  });

  it('of this process has a root', () => {
    const entries = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
    expect(entries.some(({ mountpoint }) => mountpoint === '/')).to.equal(true);
    expect(parseMountinfo('\nnonsense\n1 2 3 - x\n')).to.deep.equal([]);
  });
});
