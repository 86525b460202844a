import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { processStartTime, processStat } from '../host/proc.ts';
import type { Status } from '../config/types.ts';
import type { ContainerRecord } from './record.ts';
import { containerStatus, decideStatus, imageOf, isFrozen } from './status.ts';
import { recordOf, storedContainer, temporaryRoot } from './testing/fixtures.ts';

describe('the status of a container', () => {
  const runtime = { pid: 10, startTime: 100 };
  const init = { pid: 20, startTime: 200 };

  interface Facts {
    alive: number[];
    image?: string;
    socket?: boolean;
    frozen?: boolean;
  }
  const statusOf = (changes: Partial<ContainerRecord>, facts: Facts): Status =>
    decideStatus(recordOf('c1', { runtime, init, initImage: 'init', ...changes }), {
      isAlive: ({ pid }) => facts.alive.includes(pid),
      imageOf: () => facts.image,
      hasStartSocket: () => facts.socket ?? false,
      isFrozen: () => facts.frozen ?? false,
    });
  const withoutInit = (): ContainerRecord => {
    const record = recordOf('c1', { runtime, phase: 'creating' });
    delete record.init;
    return record;
  };

  it('changes from creating to stopped as its processes come and go', () => {
    const creating = { phase: 'creating' } as const;
    expect(statusOf(creating, { alive: [10, 20] })).to.equal('creating');
    expect(statusOf(creating, { alive: [10, 20], socket: true, image: 'init' })).to.equal('creating');
    expect(statusOf({}, { alive: [20], socket: true, image: 'init' })).to.equal('created');
    expect(statusOf({}, { alive: [20], image: 'program' })).to.equal('running');
    expect(statusOf({}, { alive: [20], image: 'program', frozen: true })).to.equal('paused');
    expect(statusOf({}, { alive: [] })).to.equal('stopped');
  });

  it('is creating before there is a process, as long as its `create` runs', () => {
    const facts = { imageOf: () => undefined, hasStartSocket: () => false, isFrozen: () => false };
    expect(decideStatus(withoutInit(), { ...facts, isAlive: () => true })).to.equal('creating');
    expect(decideStatus(withoutInit(), { ...facts, isAlive: () => false })).to.equal('stopped');
  });

  it('is created when `create` was killed in the end, and stopped when the process ended, too', () => {
    const creating = { phase: 'creating' } as const;
    expect(statusOf(creating, { alive: [20], socket: true, image: 'init' })).to.equal('created');
    expect(statusOf(creating, { alive: [20], image: 'init' })).to.equal('created');
    expect(statusOf(creating, { alive: [] })).to.equal('stopped');
  });

  it('is running when `start` was killed before it removed the socket', () => {
    expect(statusOf({}, { alive: [20], socket: true, image: 'program' })).to.equal('running');
  });

  it('is created with a start socket when the process cannot be looked at', () => {
    expect(statusOf({}, { alive: [20], socket: true })).to.equal('created');
  });

  describe('of real processes', () => {
    const root = temporaryRoot();

    it('is stopped when another process has the pid now, and for a zombie', async () => {
      const child = spawn('sleep', ['100']);
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      const startTime = processStartTime(pid) ?? 0;
      const folder = storedContainer(root(), 'c1');
      const status = (changes: Partial<ContainerRecord>): Status =>
        containerStatus(folder, recordOf('c1', changes));
      expect(status({ init: { pid, startTime } })).to.equal('running');
      expect(status({ init: { pid, startTime: startTime + 1 } })).to.equal('stopped');

      writeFileSync(join(folder.path, 'start.sock'), '');
      expect(status({ init: { pid, startTime } })).to.equal('running');
      const image = imageOf(pid) ?? '';
      expect(status({ init: { pid, startTime }, initImage: image })).to.equal('created');

      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(status({ init: { pid, startTime } })).to.equal('stopped');
    });

    it('is stopped for a zombie that its parent does not reap', async () => {
      // The shell becomes a program that does not wait for its child.
      const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 100']);
      const [data] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(data.toString());
      try {
        const startTime = processStartTime(pid) ?? 0;
        const folder = storedContainer(root(), 'c1');
        const status = (): Status => containerStatus(folder, recordOf('c1', { init: { pid, startTime } }));
        expect(status()).to.equal('running');
        for (let i = 0; i < 500 && processStat(pid)?.state !== 'Z'; i++) await delay(10);
        expect(processStat(pid)?.state).to.equal('Z');
        expect(status()).to.equal('stopped');
      } finally {
        parent.kill('SIGKILL');
      }
    });
  });

  describe('with a frozen cgroup', () => {
    const root = temporaryRoot();
    const frozen = (changes: Partial<ContainerRecord>, mark?: { name: string; value: string }): boolean => {
      const path = join(root().path, 'cgroup');
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'cgroup.freeze'), '1\n');
      writeFileSync(join(path, 'cgroup.events'), 'populated 1\nfrozen 1\n');
      return isFrozen(
        recordOf('c1', {
          ownsCgroup: true,
          cgroup: {
            driver: 'cgroupfs',
            version: 2,
            paths: { '': path },
            mountpoint: root().path,
            shared: {},
            ...(mark === undefined ? {} : { mark }),
          },
          ...changes,
        }),
      );
    };

    it('counts as frozen when the cgroup is its own', () => {
      expect(frozen({})).to.equal(true);
    });

    it('does not count as frozen when the cgroup may be another container’s', () => {
      expect(frozen({ ownsCgroup: false })).to.equal(false);
      expect(frozen({}, { name: 'user.tsrun', value: 'c1 2026 1:2' })).to.equal(false);
    });
  });
});
