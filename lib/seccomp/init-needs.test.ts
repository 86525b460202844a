import { expect } from 'chai';
import type { Config, SeccompRule } from '../config/types.ts';
import { deniedToInit } from './init-needs.ts';

describe('what a profile denies the init', () => {
  const config = (
    rules: SeccompRule[],
    more: Partial<Config> = {},
    defaultAction = 'SCMP_ACT_KILL',
  ): Config => ({
    ociVersion: '1.3.0',
    process: { cwd: '/', noNewPrivileges: true },
    ...more,
    linux: { seccomp: { defaultAction, syscalls: rules } },
  });
  const allow = (...names: string[]): SeccompRule => ({ names, action: 'SCMP_ACT_ALLOW' });

  it('is execve alone where the filter comes last', () => {
    expect(deniedToInit(config([allow('read', 'write')]))).to.deep.equal(['execve']);
    expect(deniedToInit(config([allow('execve')]))).to.deep.equal([]);
  });

  it('is what comes between where it comes early', () => {
    const early = { process: { cwd: '/' } };
    const found = deniedToInit(config([allow('execve', 'prctl')], early));
    expect(found).to.include.members(['setresuid', 'capset']).and.not.include('prctl');
    const trap: SeccompRule = { names: ['capset'], action: 'SCMP_ACT_TRAP' };
    expect(deniedToInit(config([trap], early, 'SCMP_ACT_ALLOW'))).to.deep.equal(['capset']);
    const hooks = { startContainer: [{ path: '/h' }] };
    expect(deniedToInit(config([allow('execve')], { hooks }))).to.include('pipe2');
    const notify: SeccompRule = { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' };
    expect(deniedToInit(config([allow('execve'), notify]))).to.include('sendmsg');
  });

  it('is nothing without a profile, or where all is allowed', () => {
    expect(deniedToInit({ ociVersion: '1.3.0' })).to.deep.equal([]);
    expect(deniedToInit(config([], {}, 'SCMP_ACT_ERRNO'))).to.deep.equal(['execve']);
    expect(deniedToInit(config([], {}, 'SCMP_ACT_LOG'))).to.deep.equal([]);
  });
});
