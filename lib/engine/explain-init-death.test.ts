import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CgroupRecord } from '../cgroup/record.ts';
import { explainDeath } from './explain-init-death.ts';

describe('the death of an init without a message', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsrun-death-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const config = { ociVersion: '1.3.0', linux: { resources: { memory: { limit: 1000 } } } };
  const record = (changes: Partial<CgroupRecord>): CgroupRecord => ({
    driver: 'cgroupfs',
    version: 1,
    paths: {},
    shared: {},
    ...changes,
  });
  const killed = 128 + 9;

  const memory: [hierarchy: string, file: string, () => CgroupRecord][] = [
    ['its own hierarchy of cgroup v1', 'memory.oom_control', () => record({ paths: { memory: directory } })],
    [
      'a hierarchy that memory shares with cpu',
      'memory.oom_control',
      () => record({ paths: { cpu: directory }, shared: { memory: 'cpu' } }),
    ],
    ['cgroup v2', 'memory.events', () => record({ version: 2, paths: { '': directory } })],
  ];
  for (const [hierarchy, file, cgroup] of memory) {
    it(`is laid to the memory limit when the kernel has counted a kill in ${hierarchy}`, () => {
      writeFileSync(join(directory, file), 'low 0\noom_kill 0\n');
      expect(explainDeath(config, cgroup(), killed)).to.include({ pointer: undefined });
      writeFileSync(join(directory, file), 'low 0\noom_kill 1\n');
      expect(explainDeath(config, cgroup(), killed)).to.include({
        code: 'init',
        pointer: '/linux/resources/memory/limit',
      });
    });
  }
});
