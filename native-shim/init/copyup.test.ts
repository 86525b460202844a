import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { mountFlags, type OpOf } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { isInstalled } from './testing/programs.ts';
import { RDONLY, op, procfs, runContainer, shellIn, userMaps, useImage } from './testing/rootfs.ts';

import { skip } from '../../lib/testing/skip.ts';

const { ELOOP, ENOSPC, EROFS } = os.errno;
const { copyUp } = mountFlags;

describe('tmpcopyup', () => {
  let top: string;
  const image = useImage();
  beforeEach(() => {
    top = join(image.rootfs, 'data');
    mkdirSync(top);
  });

  /** Runs a command in the image's directory. */
  const run = (script: string): string => execFileSync('sh', ['-ec', script], { cwd: top }).toString();
  const tmpfs = (more: Partial<OpOf<'mountFilesystem'>> = {}): TestOp =>
    op('mountFilesystem', { destination: '/data', type: 'tmpfs', source: 'tmpfs', flags: copyUp, ...more });
  const see = (script: string, mount: TestOp = tmpfs()): string =>
    shellIn(image, script, { ops: [procfs, mount] });
  const fail = (mount: TestOp = tmpfs()): [number, string] => {
    const { errno, detail } = runContainer(image, 'true', { ops: [mount] });
    return [errno, detail];
  };

  it('copies files of every kind with mode, owner and times', () => {
    run(`
      mkdir -p a/b/c empty && echo text >a/b/file && : >none && ln -s /etc/passwd link && ln -s nowhere a/dangling
      mkfifo fifo && mknod node c 1 7 && mknod block b 7 200
      chmod 4755 none && chmod 1777 empty && chmod 2750 a && chmod 600 fifo && chmod 640 node
      chown 11:12 a/b/file none a fifo node empty && chown -h 13:14 link && chown 15:16 . && chmod 710 .
      touch -d '2001-02-03 04:05:06' a/b/file empty none a/b fifo && touch -h -d '2002-03-04 05:06:07' link
      touch -d '2003-04-05 06:07:08' a .
    `);
    const list =
      'cd /data && find . | sort | while read f; do stat -c "%n %f %u:%g %t:%T %Y" "$f"; readlink "$f" || true; done';
    const expected = run(list.replace('/data', '.'));
    expect(`${see(list)}\n`).to.equal(expected);
    expect(see('cat /data/a/b/file; grep -c " /data " /proc/self/mountinfo')).to.equal('text\n1');
  });

  it('does not change the image', () => {
    writeFileSync(join(top, 'file'), 'image');
    see('echo container >/data/file; echo more >/data/new');
    expect(run('cat *')).to.equal('image');
  });

  it('leaves mode, uid and gid of the top directory to the mount options', () => {
    chmodSync(top, 0o710);
    execFileSync('chown', ['15:16', top]);
    expect(see('stat -c %a:%u:%g /data')).to.equal('710:15:16');
    expect(see('stat -c %a:%u:%g /data', tmpfs({ options: ['mode=700', 'gid=7'] }))).to.equal('700:15:7');
    expect(see('stat -c %a:%u:%g /new', tmpfs({ destination: '/new' }))).to.equal('755:0:0');
  });

  it('fills a tmpfs that is mounted read-only', () => {
    writeFileSync(join(top, 'file'), 'image');
    const script =
      'cat /data/file; touch /data/x 2>&1 || grep " /data " /proc/self/mountinfo | grep -o "r[ow],.* - tmpfs tmpfs r."';
    expect(see(script, tmpfs({ attributes: RDONLY }))).to.match(/Read-only.*\nro,relatime - tmpfs tmpfs rw$/);
    expect(see(script, tmpfs({ options: ['size=1m', 'ro'] }))).to.match(
      /Read-only.*\nrw,relatime - tmpfs tmpfs ro$/,
    );
  });

  it('copies long files and keeps holes', () => {
    run(
      'printf start >sparse; printf end | dd of=sparse bs=1 seek=3000000000 2>/dev/null; head -c 3000000 /dev/urandom >long',
    );
    const [long] = run('sha256sum <long').split(' ');
    const seen = see(
      'head -c 5 /data/sparse; tail -c 3 /data/sparse; du -k /data/sparse | cut -f1; stat -c %s /data/sparse; sha256sum </data/long | cut -d" " -f1',
    );
    expect(seen).to.match(new RegExp(`^startend\\d{1,2}\n3000000003\n${long ?? ''}$`));
  });

  it('copies extended attributes that a tmpfs can have', function () {
    writeFileSync(join(top, 'file'), 'x');
    if (!isInstalled('setcap')) return skip(this, 'setcap is missing (Debian: libcap2-bin)');
    execFileSync('setcap', ['cap_net_raw=ep', join(top, 'file')], { stdio: 'pipe' });
    let seen = '';
    shellIn(image, 'true', {
      ops: [tmpfs(), op('sync', { point: 2 })],
      atSync: (_, pid) => {
        seen = execFileSync('getcap', [`/proc/${pid}/root${top}/file`]).toString();
        return [];
      },
    });
    expect(seen).to.match(/cap_net_raw[=+]ep/);
  });

  it('makes a file of its own of each hard link', () => {
    run('echo one >first; ln first second');
    expect(see('cat /data/first /data/second')).to.equal('one\none');
  });

  it('copies more entries than one getdents64(2) returns', () => {
    mkdirSync(join(top, 'many'));
    for (let i = 0; i < 3000; i++) writeFileSync(join(top, `many/file-with-a-long-name-${i}`), `${i}`);
    for (let i = 0; i < 300; i++) mkdirSync(join(top, `many/dir${i}/inner`), { recursive: true });
    expect(see('find /data | wc -l; cat /data/many/file-with-a-long-name-2999')).to.equal('3602\n2999');
  });

  it('copies 128 levels of directories and refuses more', () => {
    mkdirSync(join(top, 'd/'.repeat(127)), { recursive: true });
    expect(see('find /data -type d | wc -l')).to.equal('128');
    mkdirSync(join(top, 'd/'.repeat(128)), { recursive: true });
    expect(fail()).to.deep.equal([ELOOP, 'tmpcopyup of directories more than 128 deep']);
    mkdirSync(join(top, 'd/'.repeat(1500)), { recursive: true });
    expect(fail()).to.deep.equal([ELOOP, 'tmpcopyup of directories more than 128 deep']);
  });

  it('fails when the tmpfs is full', () => {
    run('head -c 100000 /dev/zero >big');
    expect(fail(tmpfs({ options: ['size=64k'] }))).to.deep.equal([ENOSPC, 'tmpcopyup of big']);
  });

  it('does not copy what is mounted in the image', () => {
    mkdirSync(join(top, 'mounted'));
    writeFileSync(join(image.host, 'file'), '');
    const ops = [op('mountBind', { source: image.host, destination: '/data/mounted' }), tmpfs()];
    expect(shellIn(image, 'find /data', { ops })).to.equal('/data');
  });

  it('follows no link out of the image', () => {
    writeFileSync(join(image.host, 'secret'), 'secret');
    symlinkSync(image.host, join(top, 'dir'));
    symlinkSync(join(image.host, 'secret'), join(top, 'file'));
    expect(see('readlink /data/dir /data/file; cat /data/file 2>&1 || true')).to.match(/No such file/);
  });

  it('copies in a user namespace', () => {
    run('echo x >file && chown 5:6 file');
    const request = { namespaces: newNs.user, atSync: userMaps, ops: [tmpfs()] };
    // Owner 5 outside is nobody inside.
    const { errno, detail, stdout } = runContainer(image, 'stat -c %u /data/file', request);
    expect([errno, detail, stdout]).to.deep.equal([0, '', '65534\n']);
  });

  it('copies from an image that is read-only', () => {
    writeFileSync(join(top, 'file'), 'x');
    truncateSync(join(top, 'file'), 10);
    const ops = [
      op('readonlyPath', { path: '/data' }),
      tmpfs(),
      op('device', { path: '/data/null', mode: 0o20666, major: 1, minor: 3 }),
    ];
    expect(shellIn(image, 'ls /data', { ops })).to.equal('file\nnull');
    expect(runContainer(image, 'true', { ops: ops.slice(0, 1).concat(ops.slice(2)) }).errno).to.equal(EROFS);
  });
});
