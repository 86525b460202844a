import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { processStartTime, processStat } from '../host/proc.ts';
import type { Status } from '../config/types.ts';
import type { ContainerRecord } from './record.ts';
import { containerStatus, decideStatus, imageOf } from './status.ts';
import { recordOf, storedContainer, temporaryRoot } from '../container/testing/fixtures.ts';

describe('status', () => {
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

  it('follows a container through its life', () => {
    const creating = { phase: 'creating' } as const;
    expect(statusOf(creating, { alive: [10, 20] })).to.equal('creating');
    expect(statusOf(creating, { alive: [10, 20], socket: true, image: 'init' })).to.equal('creating');
    expect(statusOf({}, { alive: [20], socket: true, image: 'init' })).to.equal('created');
    expect(statusOf({}, { alive: [20], image: 'program' })).to.equal('running');
    expect(statusOf({}, { alive: [20], image: 'program', frozen: true })).to.equal('paused');
    expect(statusOf({}, { alive: [] })).to.equal('stopped');
  });

  it('knows a container before it has a process by the runtime that makes it', () => {
    const facts = { imageOf: () => undefined, hasStartSocket: () => false, isFrozen: () => false };
    expect(decideStatus(withoutInit(), { ...facts, isAlive: () => true })).to.equal('creating');
    expect(decideStatus(withoutInit(), { ...facts, isAlive: () => false })).to.equal('stopped');
  });

  it('is created when `create` was killed after all was done, stopped when the process died with it', () => {
    const creating = { phase: 'creating' } as const;
    expect(statusOf(creating, { alive: [20], socket: true, image: 'init' })).to.equal('created');
    expect(statusOf(creating, { alive: [20], image: 'init' })).to.equal('created');
    expect(statusOf(creating, { alive: [] })).to.equal('stopped');
  });

  it('is running when `start` was killed before it removed the socket', () => {
    expect(statusOf({}, { alive: [20], socket: true, image: 'program' })).to.equal('running');
  });

  it('goes by the socket when the process is not ours to look at', () => {
    expect(statusOf({}, { alive: [20], socket: true })).to.equal('created');
  });

  describe('of real processes', () => {
    const root = temporaryRoot();

    it('tells a process from another one with its pid, and from a zombie', async () => {
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

    it('takes a zombie for stopped', async () => {
      // By then the shell has become a program that never waits for its child.
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
});
