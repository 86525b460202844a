import { expect } from 'chai';
import { chmodSync, closeSync, readFileSync, statSync } from 'node:fs';
import { installation } from '../../lib/native/install.ts';
import { sealedMemfd } from '../../lib/native/memfd.ts';
import { syncPoints } from '../../lib/plan/wire.ts';
import { clone, errno, errorOf, newNs, program, runOps, scratch, setup, shell } from './testing/ops.ts';

describe('init: the engine', () => {
  const { path, file } = scratch();

  it('ends the init without a message when it hangs up at a sync point', () => {
    const result = runOps(
      [clone(newNs.pid), setup, { op: 'hostname', name: 'must-not-happen' }, ...shell('echo ran')],
      { atSync: () => false },
    );
    expect(result).to.deep.include({ messages: [], stdout: '', status: 1, syncPoints: [syncPoints.setup] });
  });

  it('is told each sync point in order', () => {
    const result = runOps([
      clone(),
      setup,
      { op: 'sync', point: syncPoints.hooks },
      { op: 'sync', point: syncPoints.ready },
      ...program(['true']),
    ]);
    expect(result.syncPoints).to.deep.equal([syncPoints.setup, syncPoints.hooks, syncPoints.ready]);
  });

  it('must send two descriptors or none', () => {
    const one = sealedMemfd('one', Buffer.from('x'));
    try {
      for (const fds of [[one], [one, one, one], [one, one, one, one]]) {
        const message = errorOf([clone(), setup, ...program(['true'])], { atSync: () => fds });
        expect(message).to.include({ op: 1, errno: errno.EPROTO });
      }
    } finally {
      closeSync(one);
    }
  });

  it('sees the init under its name, and owns its files only until its maps are written', () => {
    const init = file('init', readFileSync(installation().init));
    chmodSync(path(), 0o755);
    const seen: string[] = [];
    runOps([clone(newNs.user), setup, { op: 'sync', point: syncPoints.hooks }, ...program(['true'])], {
      wrap: ['/usr/bin/setpriv', '--reuid=1234', '--clear-groups', init],
      atSync: (_point, pid) => {
        const proc = `/proc/${String(pid)}`;
        seen.push(readFileSync(`${proc}/comm`, 'utf8').trim(), String(statSync(`${proc}/uid_map`).uid));
        return undefined;
      },
    });
    expect(seen).to.deep.equal(['tsrun-init', '1234', 'tsrun-init', '0']);
  });
});
