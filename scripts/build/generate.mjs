// Files generated from our own sources: C headers and the schema validators.

import { join } from 'node:path';
import { filesBelow, root, run, step } from './step.mjs';

/** The generators of C headers, with the TypeScript table of each. */
const headers = [
  { name: 'wire.h', script: 'wire-header.ts', table: ['plan', 'wire.ts'] },
  { name: 'tsrun.h', script: 'tsrun-header.ts', table: ['native', 'signatures.ts'] },
];

export function generate() {
  for (const { name, script, table } of headers) {
    const generator = join(root, 'scripts', script);
    const inputs = [generator, join(root, 'scripts', 'c-header.ts'), join(root, 'lib', ...table)];
    step(
      name,
      { inputs, outputs: [join(root, 'native-shim', 'include', name)] },
      () => void run(process.execPath, ['--import', 'tsx', generator]),
    );
  }
  const validatorScript = join(root, 'scripts', 'validators.ts');
  const validators = join(root, 'build', 'validators');
  const schemas = filesBelow(join(root, 'schemas'), (name) => name.endsWith('.json'));
  step(
    'validators',
    {
      inputs: [validatorScript, ...schemas, join(root, 'node_modules', 'ajv', 'package.json')],
      outputs: [validators],
    },
    () => void run(process.execPath, ['--import', 'tsx', validatorScript]),
  );
}
