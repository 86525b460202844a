import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { execAffinity } from './affinity.ts';

describe('CPUs of a process', () => {
  it('are one operation for each moment that names some', () => {
    const process = { cwd: '/', execCPUAffinity: { initial: '0-1', final: '8' } };
    expect(execAffinity(process, 'initial')).to.deep.equal([
      {
        op: 'affinity',
        origin: '/process/execCPUAffinity/initial',
        cpus: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0),
      },
    ]);
    expect(execAffinity(process, 'final')).to.deep.equal([
      {
        op: 'affinity',
        origin: '/process/execCPUAffinity/final',
        cpus: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0),
      },
    ]);
  });

  it('are left alone without a list, and with an empty one', () => {
    expect(execAffinity({ cwd: '/' }, 'initial')).to.deep.equal([]);
    expect(execAffinity({ cwd: '/', execCPUAffinity: { final: '1' } }, 'initial')).to.deep.equal([]);
    for (const initial of ['', ' ', '\t\n']) {
      expect(execAffinity({ cwd: '/', execCPUAffinity: { initial } }, 'initial')).to.deep.equal([]);
    }
  });

  it('are refused when they are no list, or beyond what any kernel knows', () => {
    for (const final of ['a', '0-', '3-1', '8192']) {
      expect(() => execAffinity({ cwd: '/', execCPUAffinity: { final } }, 'final'))
        .to.throw(TsrunError, `'${final}' is not a list of CPUs like 0-3,7`)
        .with.property('pointer', '/process/execCPUAffinity/final');
    }
    expect(execAffinity({ cwd: '/', execCPUAffinity: { final: '8191' } }, 'final')).to.have.length(1);
  });
});
