import { expect } from 'chai';
import { validate as validateFeatures } from '#validators/features.js';
import { validate as validateState } from '#validators/state.js';
import type { Features, State } from './types.ts';

const state: State = {
  ociVersion: '1.3.0',
  id: 'c',
  status: 'running',
  pid: 7,
  bundle: '/b',
  annotations: { a: 'b' },
};
const features: Features = {
  ociVersionMin: '1.0.0',
  ociVersionMax: '1.3.0',
  hooks: ['poststop'],
  linux: { cgroup: { v1: true }, mountExtensions: { idmap: { enabled: true } }, seccomp: { actions: [] } },
};

describe('the schema of states', () => {
  it('accepts a state', () => {
    expect(validateState(state)).to.equal(true);
    expect(validateState({ ociVersion: '1.3.0', id: 'c', status: 'stopped', bundle: '/b' })).to.equal(true);
  });

  for (const [why, change] of [
    ['no pid while it runs', { pid: undefined }],
    ['a pid that is none', { pid: -1 }],
    ['a relative bundle', { bundle: 'b' }],
    ['an unknown status', { status: 'dead' }],
    ['no id', { id: '' }],
    ['an annotation that is no string', { annotations: { a: 1 } }],
  ] as const) {
    it(`refuses ${why}`, () => {
      expect(validateState(JSON.parse(JSON.stringify({ ...state, ...change })))).to.equal(false);
    });
  }
});

describe('the schema of features', () => {
  it('accepts features, null where nothing is said', () => {
    expect(validateFeatures(features)).to.equal(true);
    expect(
      validateFeatures({ ...features, hooks: null, linux: { seccomp: null, apparmor: { enabled: null } } }),
    ).to.equal(true);
  });

  for (const [why, change] of [
    ['no versions', { ociVersionMax: undefined }],
    ['a null version', { ociVersionMin: null }],
    ['hooks that are no list', { hooks: 'prestart' }],
    ['a flag that is no boolean', { linux: { cgroup: { v1: 'yes' } } }],
  ] as const) {
    it(`refuses ${why}`, () => {
      expect(validateFeatures(JSON.parse(JSON.stringify({ ...features, ...change })))).to.equal(false);
    });
  }
});
