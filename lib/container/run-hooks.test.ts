import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Hook, State } from '../config/types.ts';
import { runAllHooks, runHooks } from './run-hooks.ts';
import { hookState } from './hook-state.ts';
import { recordOf } from '../state/testing/fixtures.ts';

describe('hooks of the runtime', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-hooks-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const shell = (script: string, more: Partial<Hook> = {}): Hook => ({
    path: '/bin/sh',
    args: ['sh', '-c', script],
    ...more,
  });
  const state = (): State => ({ ...hookState(recordOf('c1'), 'creating'), bundle: folder });
  const run = (hooks: Hook[]): void => {
    runHooks('createRuntime', hooks, { state: state(), env: ['OWN=1', 'PATH=/usr/bin:/bin'] });
  };
  const output = (name = 'out'): string => readFileSync(join(folder, name), 'utf8');
  const failure = (hooks: Hook[]): TsrunError => {
    try {
      run(hooks);
    } catch (error) {
      if (error instanceof TsrunError) return error;
      throw error;
    }
    throw new Error('no hook has failed');
  };

  it('each read the whole state, in the bundle', () => {
    run([shell('cat > first'), shell('cat > second')]);
    expect(JSON.parse(output('first'))).to.deep.equal({
      ociVersion: '1.3.0',
      id: 'c1',
      status: 'creating',
      pid: 1,
      bundle: folder,
    });
    expect(output('second')).to.equal(output('first'));
  });

  it('may leave the state unread, all of it or a part, and the next one reads it whole', () => {
    // More than a pipe holds: whoever wrote it to one would wait for a reader, or die without one.
    const big = { ...state(), annotations: { big: 'x'.repeat(300_000) } };
    const hooks = [
      { path: '/bin/true' },
      shell('exec <&-; true'),
      shell('head -c 10 > out'),
      shell('cat > all'),
    ];
    runHooks('createRuntime', hooks, { state: big, env: ['PATH=/usr/bin:/bin'] });
    expect(output()).to.equal(JSON.stringify(big).slice(0, 10));
    expect(JSON.parse(output('all'))).to.deep.equal(big);
  });

  it('are called by their path when they have no args', () => {
    // busybox runs the applet that argv[0] names.
    symlinkSync('/bin/busybox', join(folder, 'true'));
    const path = join(folder, 'true');
    run([{ path }, { path, args: [] }, { path, args: ['true'] }]);
    expect(failure([{ path, args: ['false'] }]).message).to.contain('exit status 1');
  });

  it('leave no descriptor open, also when they fail', () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const all = [shell('true'), shell('exit 1'), { path: '/nonexistent' }];
    runAllHooks('poststop', all, { state: state(), env: [] });
    const before = count();
    runAllHooks('poststop', [...all, ...all], { state: state(), env: [] });
    expect(count()).to.equal(before);
  });

  it('have the environment of their env, or that of tsrun', () => {
    run([
      shell('echo ${OWN-none} ${HOOK-none} > out', { env: ['HOOK=x'] }),
      shell('echo ${OWN-none} >> out'),
      shell('echo ${OWN-none} >> out', { env: [] }),
    ]);
    expect(output()).to.equal('none x\n1\nnone\n');
  });

  it('are not run after one that fails, which is named with its output', () => {
    const error = failure([
      shell('echo 1 >> out'),
      shell('echo a; echo b >&2; exit 3'),
      shell('echo 3 >> out'),
    ]);
    expect(error.message).to.equal(
      'error running createRuntime hook #1: /bin/sh: exit status 3, stdout: a, stderr: b',
    );
    expect(error).to.include({ code: 'hook', pointer: '/hooks/createRuntime/1' });
    expect(output()).to.equal('1\n');
  });

  it('are killed after their timeout', () => {
    const error = failure([shell('sleep 100; true', { timeout: 0.2 })]);
    expect(error.message).to.equal(
      'error running createRuntime hook #0: /bin/sh: hook ran past specified timeout of 0.2s',
    );
  });

  it('fail when they cannot be executed', () => {
    expect(failure([{ path: '/nonexistent' }]).message).to.equal(
      'error running createRuntime hook #0: execute /nonexistent: no such file or directory (ENOENT)',
    );
  });

  it('of the kind poststop are all run, also after one has failed', () => {
    const context = { state: state(), env: [] };
    const failures = runAllHooks(
      'poststop',
      [shell('exit 1'), { path: '/nonexistent' }, shell('echo 3 > out')],
      context,
    );
    expect(failures.map(({ pointer }) => pointer)).to.deep.equal(['/hooks/poststop/0', '/hooks/poststop/1']);
    expect(output()).to.equal('3\n');
  });

  it('run in / when the bundle was removed', () => {
    runHooks('poststart', [{ path: '/bin/true' }], {
      state: { ...state(), bundle: '/nonexistent' },
      env: [],
    });
  });

  it('get no pid of a container that has stopped', () => {
    expect(hookState(recordOf('c1', { annotations: { a: 'b' } }), 'stopped')).to.deep.equal({
      ociVersion: '1.3.0',
      id: 'c1',
      status: 'stopped',
      bundle: '/bundle',
      annotations: { a: 'b' },
    });
  });
});
