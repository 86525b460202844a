import { expect } from 'chai';
import type { Config } from '../config/types.ts';
import { names, onlyOp, planOf, planOptions, rootFacts } from './testing/fixtures.ts';
import type { OpName } from './wire.ts';

const filter = { program: Uint8Array.from({ length: 16 }, (_, i) => i), flags: 5, notify: false };

interface Case {
  noNewPrivileges?: boolean;
  notify?: boolean;
  startContainer?: boolean;
  lowFiles?: boolean;
}

function orderOf(given: Case, gate: 'start' | 'engine' = 'start'): OpName[] {
  const plan = planOf(
    (config: Config) => {
      config.linux = { ...config.linux, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } };
      config.process = {
        ...config.process,
        cwd: '/',
        noNewPrivileges: given.noNewPrivileges ?? true,
        ...(given.lowFiles === true ? { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 5 }] } : {}),
      };
      if (given.startContainer === true) config.hooks = { startContainer: [{ path: '/bin/h' }] };
    },
    rootFacts(),
    planOptions({ gate, seccomp: { ...filter, notify: given.notify ?? false } }),
  );
  return names(plan);
}

describe('the filter in a plan', () => {
  it('is the compiled one', () => {
    const plan = planOf(
      (config) => (config.linux = { ...config.linux, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }),
      rootFacts(),
      planOptions({ seccomp: filter }),
    );
    expect(onlyOp(plan, 'seccomp')).to.deep.equal({
      op: 'seccomp',
      origin: '/linux/seccomp',
      flags: 5,
      program: filter.program,
    });
  });

  it('is loaded last of all with no_new_privs', () => {
    expect(orderOf({ lowFiles: true }).slice(-4)).to.deep.equal(['waitStart', 'rlimit', 'seccomp', 'exec']);
    expect(orderOf({}, 'engine').slice(-3)).to.deep.equal(['sync', 'seccomp', 'exec']);
  });

  it('is loaded before hooks of the container run', () => {
    expect(orderOf({ startContainer: true, lowFiles: true }).slice(-5)).to.deep.equal([
      'waitStart',
      'seccomp',
      'hook',
      'rlimit',
      'exec',
    ]);
  });

  it('is loaded with the privileges of root without no_new_privs', () => {
    const order = orderOf({ noNewPrivileges: false });
    const at = order.indexOf('seccomp');
    expect(order.slice(at - 1, at + 3)).to.deep.equal(['boundingSet', 'seccomp', 'user', 'capabilities']);
  });

  it('is loaded by create when an agent gets its listener', () => {
    expect(orderOf({ notify: true }).slice(-3)).to.deep.equal(['seccomp', 'waitStart', 'exec']);
    expect(orderOf({ notify: true }, 'engine').slice(-3)).to.deep.equal(['seccomp', 'sync', 'exec']);
    expect(orderOf({ notify: true, noNewPrivileges: false })).to.deep.equal(
      orderOf({ noNewPrivileges: false }),
    );
  });

  it('is never forgotten', () => {
    const change = (config: Config): unknown =>
      (config.linux = { ...config.linux, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } });
    expect(() => planOf(change))
      .to.throw('was not validated')
      .with.property('pointer', '/linux/seccomp');
    expect(names(planOf())).not.to.include('seccomp');
  });
});
