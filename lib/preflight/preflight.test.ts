import { expect } from 'chai';
import { mkdirSync, rmSync } from 'node:fs';
import { stateRoot } from '../state/state-root.ts';
import { goodConfig, makeBundle } from '../config/testing/fixtures.ts';
import type { Config } from '../config/types.ts';
import { validateBundle } from './validate-bundle.ts';

const request = { id: 'preflight', root: stateRoot({ root: '/nowhere', uid: 0, env: {} }) };

/** What validateBundle reports of the good config after a change, as `severity pointer`. */
function outline(change: (config: Config) => unknown): string[] {
  const config = goodConfig();
  change(config);
  const bundle = makeBundle(JSON.stringify(config));
  try {
    return validateBundle(bundle, request).map(({ severity, pointer }) => `${severity} ${pointer}`);
  } finally {
    rmSync(bundle, { recursive: true });
  }
}

describe('validateBundle', () => {
  it('says everything the compiler would refuse, not only the first', () => {
    const found = outline((config) => {
      config.process = {
        ...config.process,
        cwd: '/',
        args: ['sh'],
        apparmorProfile: 'x',
        selinuxLabel: 'a:b:c',
      };
      config.mounts?.push(
        { destination: '/a', type: 'bind', source: '/nowhere/a', options: ['bind'] },
        { destination: '/b', type: 'bind', source: '/nowhere/b', options: ['bind'] },
      );
    });
    const mounts = goodConfig().mounts?.length ?? 0;
    expect(found).to.include.members([
      'error /process/selinuxLabel',
      `error /mounts/${mounts}/source`,
      `error /mounts/${mounts + 1}/source`,
    ]);
  });

  it('goes on without a rootfs', () => {
    const found = outline((config) => {
      config.root = { path: '/nowhere' };
      config.hooks = { poststop: [{ path: '/nowhere/hook' }] };
    });
    expect(found).to.include.members(['error /root/path', 'warning /hooks/poststop/0/path']);
  });

  it('says one thing of one property', () => {
    const found = outline((config) => {
      if (config.process) config.process.cwd = 'relative';
      if (config.linux) config.linux.sysctl = { 'net.nothing': '1', 'kernel.hostname': 'x' };
    });
    expect(new Set(found).size).to.equal(found.length);
    expect(found).to.include('error /process/cwd');
  });

  it('says with its place why a text is no config', () => {
    const bundle = makeBundle('{\n "a": }');
    try {
      const [finding, ...more] = validateBundle(bundle, request);
      expect(more).to.deep.equal([]);
      expect(finding).to.include({ severity: 'error', pointer: '' });
      expect(finding?.source).to.deep.include({ position: { line: 2, column: 7 } });
      expect(finding?.reason).to.match(/^not valid JSON: /);
    } finally {
      rmSync(bundle, { recursive: true });
    }
  });

  it('has nothing to say without a config', () => {
    const bundle = makeBundle('');
    rmSync(`${bundle}/config.json`);
    mkdirSync(`${bundle}/config.json`);
    try {
      expect(() => validateBundle(bundle, request))
        .to.throw()
        .that.includes({ name: 'TsrunError', code: 'bundle' });
    } finally {
      rmSync(bundle, { recursive: true });
    }
  });
});
