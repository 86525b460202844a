import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { signatures } from '../lib/native/signatures.ts';
import { tsrunHeader } from './tsrun-header.ts';

describe('tsrun.h', () => {
  const header = tsrunHeader();

  it('is what the tables of signatures.ts say', () => {
    const file = new URL('../native-shim/include/tsrun.h', import.meta.url);
    expect(readFileSync(file, 'utf8'), 'run npm run build').to.equal(header);
  });

  it('declares every function of the table', () => {
    for (const [name, parameters] of Object.entries(signatures)) {
      expect(header).to.contain(`int ${name}(${parameters === '' ? 'void' : parameters});\n`);
    }
  });

  it('has the words of a spawn request in their order', () => {
    expect(header).to.match(/struct spawn_head \{\n {4}int32_t executable;\n[^}]* int32_t fds\[\];\n\};/);
    expect(header).to.contain('#define SPAWN_DIE_WITH_PARENT 2\n');
    expect(header).to.contain('#define SPAWN_STEP_EXEC 1\n');
  });

  it('has only parameters of types that TypeScript knows', () => {
    for (const parameter of Object.values(signatures).flatMap((list) => list.split(', '))) {
      expect(parameter).to.match(
        /^(|(unsigned )?int [a-z_]+|const char \*[a-z_]+|(const )?(void|int32_t) \*[a-z_]+)$/,
      );
    }
  });
});
