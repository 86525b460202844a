import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { becomeSubreaper } from './native.ts';

let workFolder = '';

/** The folder of this run: the bundles of all scenes, and what several tests share. */
export function sharedFolder(): string {
  return workFolder;
}

export const mochaHooks = {
  beforeAll(): void {
    becomeSubreaper();
    workFolder = mkdtempSync('/var/tmp/tsrun-test-');
    chmodSync(workFolder, 0o755);
    copyFileSync('/bin/busybox', join(workFolder, 'busybox'));
    chmodSync(join(workFolder, 'busybox'), 0o755);
  },

  afterAll(): void {
    rmSync(workFolder, { recursive: true, force: true });
  },
};
