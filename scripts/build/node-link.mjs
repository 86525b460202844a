// dist/tsrun-node: the Node that runs tsrun.cjs, by an absolute path. PATH is not asked at run time: root may
// run tsrun with that of somebody else.

import { realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { dist, install, scratch, step } from './step.mjs';

export function linkNode() {
  const node = realpathSync(process.execPath);
  const output = join(dist, 'tsrun-node');
  step('tsrun-node', { inputs: [], settings: [node], outputs: [output] }, () => {
    const made = join(scratch, 'tsrun-node');
    symlinkSync(node, made);
    install(made, output);
  });
}
