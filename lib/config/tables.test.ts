import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { configShape } from '#validators/shapes.js';
import { capabilityMask, capabilityNumbers } from './capabilities.ts';
import { hookKinds } from './hook-kinds.ts';
import { findNamespace, hasNamespace, hasNewNamespace, namespaces, namespaceTypes } from './namespaces.ts';
import { rlimitNumbers } from '../host/rlimits.ts';
import { signalNumbers } from '../host/signals.ts';
import { sysctlPath } from './sysctl.ts';

const schemaFile = new URL('../../schemas/config-linux.json', import.meta.url);

describe('the tables of names', () => {
  it('number capabilities as the kernel does', () => {
    expect(
      ['CAP_CHOWN', 'CAP_SYS_ADMIN', 'CAP_MKNOD', 'CAP_CHECKPOINT_RESTORE'].map((c) =>
        capabilityNumbers.get(c),
      ),
    ).to.deep.equal([0, 21, 27, 40]);
    const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
    expect(capabilityNumbers.size - 1).to.be.at.least(last);
  });

  it('make masks of capabilities, without the unknown ones', () => {
    expect(capabilityMask(['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE', 'CAP_NONE'])).to.equal(1n | (1n << 40n));
    expect(capabilityMask(undefined)).to.equal(0n);
  });

  it('number resource limits as the kernel does', () => {
    const lines = readFileSync('/proc/self/limits', 'utf8').trimEnd().split('\n').slice(1);
    expect(rlimitNumbers.size).to.equal(lines.length);
    for (const [name, words] of [
      ['RLIMIT_CPU', 'Max cpu time'],
      ['RLIMIT_NPROC', 'Max processes'],
      ['RLIMIT_NOFILE', 'Max open files'],
      ['RLIMIT_MEMLOCK', 'Max locked memory'],
      ['RLIMIT_AS', 'Max address space'],
      ['RLIMIT_RTTIME', 'Max realtime timeout'],
    ] as const) {
      expect(lines[rlimitNumbers.get(name) ?? -1], name).to.match(new RegExp(`^${words} `));
    }
  });

  it('number signals as the system does', () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      if (signalNumbers.has(name)) expect(signalNumbers.get(name), name).to.equal(number);
    }
  });

  it('have every namespace of the schema and of this kernel', () => {
    const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as {
      properties: { namespaces: { items: { properties: { type: { enum: string[] } } } } };
    };
    const { enum: types } = schema.properties.namespaces.items.properties.type;
    expect([...namespaceTypes].toSorted()).to.deep.equal(types.toSorted());
    for (const type of namespaceTypes)
      expect(existsSync(`/proc/self/ns/${namespaces[type].procName}`), type).to.equal(true);
  });

  it('have every hook of the schema', () => {
    const hooks = configShape.properties?.['hooks']?.properties ?? {};
    expect([...hookKinds].toSorted()).to.deep.equal(Object.keys(hooks).toSorted());
  });
});

describe('namespaces of a config', () => {
  const linux = {
    namespaces: [
      { type: 'pid' as const },
      { type: 'ipc' as const, path: '' },
      { type: 'uts' as const, path: '/x' },
    ],
  };

  it('are new, joined or shared', () => {
    const kinds = (['pid', 'ipc', 'uts', 'user'] as const).map((type) => [
      hasNamespace(linux, type),
      hasNewNamespace(linux, type),
    ]);
    expect(kinds).to.deep.equal([
      [true, true],
      [true, true],
      [true, false],
      [false, false],
    ]);
    expect(findNamespace(linux, 'uts')).to.deep.equal({ type: 'uts', path: '/x' });
    expect(findNamespace(undefined, 'uts')).to.equal(undefined);
  });
});

describe('sysctlPath', () => {
  const cases = [
    ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', 'net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/1.rp_filter', 'net/ipv4/conf/eth0.1/rp_filter'],
    ['net/ipv4/conf/eth0.1/rp_filter', 'net/ipv4/conf/eth0.1/rp_filter'],
    ['single', 'single'],
  ] as const;
  for (const [name, path] of cases) {
    it(`reads ${name}`, () => {
      expect(sysctlPath(name)).to.equal(path);
    });
  }
});
