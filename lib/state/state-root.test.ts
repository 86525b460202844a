import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeStateRoot, stateRoot } from './state-root.ts';

describe('state root', () => {
  it('is what --root says, made absolute', () => {
    expect(stateRoot({ root: '/var/x/../y/', uid: 0, env: {} }).path).to.equal('/var/y');
    expect(stateRoot({ root: 'here', uid: 1000, env: {} }).path).to.equal(join(process.cwd(), 'here'));
  });

  it('is never /', () => {
    expect(() => stateRoot({ root: '/', uid: 0, env: {} })).to.throw('must not be /');
    expect(() => stateRoot({ root: '/a/..', uid: 0, env: {} })).to.throw('must not be /');
  });

  const env = { XDG_RUNTIME_DIR: '/run/user/7' };
  const cases: [string, Parameters<typeof stateRoot>[0], string][] = [
    ['of root', { uid: 0, env: {} }, '/run/tsrun'],
    ['of root with a session', { uid: 0, env: { ...env, USER: 'root' } }, '/run/tsrun'],
    ['of a user', { uid: 7, env }, '/run/user/7/tsrun'],
    ['of root who asks for rootless', { uid: 0, rootless: 'true', env }, '/run/user/7/tsrun'],
    ['of root who asks for the opposite', { uid: 0, rootless: 'false', env }, '/run/tsrun'],
    ['of root who has no session', { uid: 0, rootless: 'true', env: {} }, '/run/tsrun'],
  ];
  for (const [whose, request, path] of cases) {
    it(`is ${path}: ${whose}`, () => {
      expect(stateRoot(request).path).to.equal(path);
    });
  }

  it('tells a user without a session what to do', () => {
    for (const value of [undefined, '', 'relative']) {
      expect(() => stateRoot({ uid: 7, env: { XDG_RUNTIME_DIR: value } }))
        .to.throw('XDG_RUNTIME_DIR')
        .with.property('hint');
    }
  });

  it('is made for its owner only, and to be kept in $XDG_RUNTIME_DIR', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsrun-root-'));
    try {
      const plain = join(folder, 'a/b');
      makeStateRoot({ path: plain, inRuntimeDir: false });
      makeStateRoot({ path: plain, inRuntimeDir: false });
      expect(statSync(plain).mode & 0o7777).to.equal(0o700);
      const sticky = join(folder, 'c');
      makeStateRoot({ path: sticky, inRuntimeDir: true });
      expect(statSync(sticky).mode & 0o7777).to.equal(0o1700);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
