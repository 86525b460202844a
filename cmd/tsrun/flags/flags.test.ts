import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import { globalFlags } from '../command.ts';
import { cgroupDriverOf, notifySocket } from '../context.ts';
import { createFlags, createRequest, criuFlags, criuRequest, preserveFds } from './flags.ts';
import { parseFlags } from './parse.ts';

const options = { program: 'tsrun', stopAtPositional: false };

describe('what create asks the library for', () => {
  const globals = (...argv: string[]) => parseFlags(argv, globalFlags, options).flags;
  const request = (...argv: string[]): Record<string, unknown> => {
    const { flags } = parseFlags(argv, createFlags, options);
    const { log, root, ...rest } = createRequest(
      'c1',
      flags,
      globals('--root', '/some/root'),
      'log' as never,
    );
    expect(log).to.equal('log');
    expect(root.path).to.equal('/some/root');
    return rest;
  };

  it('createRequest says what the flags say', () => {
    expect(request()).to.deep.include({
      id: 'c1',
      bundle: '.',
      cgroupDriver: undefined,
      pidFile: undefined,
      consoleSocket: undefined,
      pidfdSocket: undefined,
      preserveFds: undefined,
      noPivot: false,
      noNewKeyring: false,
    });
    expect(
      request(
        ...['--bundle', '/b', '--pid-file', '/p', '--console-socket', '/c', '--pidfd-socket', '/f'],
        ...['--preserve-fds', '3', '--no-pivot'],
      ),
    ).to.deep.include({
      bundle: '/b',
      pidFile: '/p',
      consoleSocket: '/c',
      pidfdSocket: '/f',
      preserveFds: 3,
      noPivot: true,
      noNewKeyring: false,
    });
    expect(request('--no-new-keyring')).to.deep.include({ noPivot: false, noNewKeyring: true });
  });

  it('preserveFds refuses a negative number of descriptors', () => {
    expect(preserveFds(undefined)).to.equal(undefined);
    expect(preserveFds(0)).to.equal(0);
    expect(() => preserveFds(-1)).to.throw(TsrunError, '--preserve-fds is a number of descriptors, not -1');
  });

  it('notifySocket takes an empty NOTIFY_SOCKET for none', () => {
    expect(notifySocket({})).to.equal(undefined);
    expect(notifySocket({ NOTIFY_SOCKET: '' })).to.equal(undefined);
    expect(notifySocket({ NOTIFY_SOCKET: '/run/n' })).to.equal('/run/n');
  });

  it('cgroupDriverOf knows the drivers of the global flags', () => {
    expect(cgroupDriverOf(globals())).to.equal(undefined);
    for (const name of ['cgroupfs', 'systemd', 'disabled'] as const) {
      expect(cgroupDriverOf(globals('--cgroup-manager', name))).to.equal(name);
    }
    expect(cgroupDriverOf(globals('--systemd-cgroup'))).to.equal('systemd');
    expect(cgroupDriverOf(globals('--systemd-cgroup', '--cgroup-manager', 'cgroupfs'))).to.equal('systemd');
  });
});

describe('what checkpoint and restore ask the library for', () => {
  it('criuRequest has one property for each flag', () => {
    const read = (...argv: string[]): object =>
      criuRequest(parseFlags(argv, criuFlags('save'), options).flags);
    const none = read();
    expect(none).to.deep.equal({
      imagePath: undefined,
      workPath: undefined,
      tcpEstablished: false,
      extUnixSk: false,
      shellJob: false,
      fileLocks: false,
      manageCgroupsMode: undefined,
      emptyNs: [],
      autoDedup: false,
      lazyPages: false,
    });
    const properties: [string, string[], object][] = [
      ['--image-path', ['/i'], { imagePath: '/i' }],
      ['--work-path', ['/w'], { workPath: '/w' }],
      ['--tcp-established', [], { tcpEstablished: true }],
      ['--ext-unix-sk', [], { extUnixSk: true }],
      ['--shell-job', [], { shellJob: true }],
      ['--file-locks', [], { fileLocks: true }],
      ['--manage-cgroups-mode', ['full'], { manageCgroupsMode: 'full' }],
      ['--empty-ns', ['network'], { emptyNs: ['network'] }],
      ['--auto-dedup', [], { autoDedup: true }],
      ['--lazy-pages', [], { lazyPages: true }],
    ];
    expect(properties.map(([flag]) => flag.slice(2))).to.deep.equal(Object.keys(criuFlags('save')));
    for (const [flag, value, property] of properties) {
      expect(read(flag, ...value), flag).to.deep.equal({ ...none, ...property });
    }
  });
});
