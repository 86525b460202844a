// Files generated from our own sources: the C header of the wire format and the schema validators.

import { join } from 'node:path';
import { filesBelow, root, run, step } from './step.mjs';

export const wireHeader = join(root, 'native-shim', 'include', 'wire.h');

export function generate() {
  const wireScript = join(root, 'scripts', 'wire-header.ts');
  step(
    'wire.h',
    { inputs: [wireScript, join(root, 'lib', 'plan', 'wire.ts')], outputs: [wireHeader] },
    () => void run(process.execPath, ['--import', 'tsx', wireScript]),
  );
  const validatorScript = join(root, 'scripts', 'validators.mjs');
  const validators = join(root, 'build', 'validators');
  const schemas = filesBelow(join(root, 'schemas'), (name) => name.endsWith('.json'));
  step(
    'validators',
    {
      inputs: [validatorScript, ...schemas, join(root, 'node_modules', 'ajv', 'package.json')],
      outputs: [validators],
    },
    () => void run(process.execPath, [validatorScript]),
  );
}
