import { expect } from 'chai';
import { parseMounts } from '../config/mounts.ts';
import { hasNewNamespace } from '../config/namespaces.ts';
import { deniedToInit } from '../seccomp/init-needs.ts';
import { parseStoredConfig } from './stored-config.ts';

describe('a stored config', () => {
  const parse = (config: object): ReturnType<typeof parseStoredConfig> =>
    parseStoredConfig({ file: '/config.json', text: JSON.stringify(config) });

  it('has no properties that are null, which `create` takes for absent ones', () => {
    const config = parse({
      ociVersion: '1.3.0',
      mounts: null,
      linux: { seccomp: null, namespaces: [{ type: 'network', path: null }] },
    });
    expect(config).to.deep.equal({ ociVersion: '1.3.0', linux: { namespaces: [{ type: 'network' }] } });
    expect(parseMounts(config)).to.deep.equal([]);
    expect(deniedToInit(config)).to.deep.equal([]);
    expect(hasNewNamespace(config.linux, 'network')).to.equal(true);
  });

  it('keeps the elements of its lists', () => {
    expect(parse({ ociVersion: '1.3.0', a: [1, null, { b: null }] })).to.deep.include({ a: [1, null, {}] });
  });
});
