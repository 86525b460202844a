import { expect } from 'chai';
import { type Flag, type Flags, globalFlags } from './command.ts';
import { commands, otherNames } from './command-table.ts';

/** A flag as a line of the table below: `-b bundle=`, `preserve-fds=N`, `env=…`, `format=(table|json)`, hidden ones with `?`. */
function line([name, { short, kind, choices, hidden }]: [string, Flag]): string {
  const value = { boolean: '', string: '=', strings: '=…', integer: '=N' }[kind];
  const known = choices === undefined ? '' : `(${choices.join('|')})`;
  return `${short === undefined ? '' : `-${short} `}${name}${value}${known}${hidden === true ? '?' : ''}`;
}

const criu =
  'image-path= work-path= tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode= empty-ns=… auto-dedup lazy-pages';
const create = '-b bundle= pid-file= console-socket= pidfd-socket= preserve-fds=N no-pivot no-new-keyring';

/** What engines and users write: each command's flags, and its arguments. */
const contract: Readonly<Record<string, [flags: string, positionals?: string]>> = {
  create: [create, 'container-id'],
  start: ['', 'container-id'],
  run: [`${create} -d detach keep no-subreaper`, 'container-id'],
  exec: [
    '-p process= cwd= -e env=… -t tty -u user= -g additional-gids=… -c cap=… no-new-privs apparmor= process-label= -d detach pid-file= console-socket= pidfd-socket= preserve-fds=N cgroup=… ignore-paused',
    'container-id [command...] stops',
  ],
  state: ['', 'container-id'],
  kill: ['-a all', 'container-id [signal] stops'],
  pause: ['', 'container-id'],
  resume: ['', 'container-id'],
  update: [
    '-r resources= l3-cache-schema= mem-bw-schema= memory= memory-reservation= memory-swap= kernel-memory=? kernel-memory-tcp=? cpu-period= cpu-quota= cpu-burst= cpu-share= cpu-rt-period= cpu-rt-runtime= cpu-idle= cpuset-cpus= cpuset-mems= pids-limit= blkio-weight=',
    'container-id',
  ],
  delete: ['-f force', 'container-id'],
  list: ['-f format=(table|json) -q quiet'],
  events: ['interval= stats', 'container-id'],
  stats: ['-f format=(table|json) interval= stream no-stream?', '[container-id...]'],
  ps: ['-f format=(table|json)', 'container-id [ps-options...] stops'],
  checkpoint: [
    `${criu} leave-running pre-dump parent-path= tcp-skip-in-flight link-remap page-server= status-fd=N`,
    'container-id',
  ],
  restore: [
    `-b bundle= pid-file= console-socket= no-pivot ${criu} -d detach no-subreaper tcp-close lsm-profile= lsm-mount-context=`,
    'container-id',
  ],
  spec: ['-b bundle= rootless'],
  validate: ['-b bundle= strict -f format=(text|json)', '[bundle-dir]'],
  plan: ['-b bundle= -f format=(text|json) no-pivot no-new-keyring', '[bundle-dir]'],
  features: [''],
  completion: ['', '[shell]'],
};

describe('the command line', () => {
  const written = (flags: Flags): string => Object.entries(flags).map(line).join(' ');

  it('has these commands', () => {
    expect(Object.keys(commands)).to.deep.equal(Object.keys(contract));
  });

  it('suggests only commands it has, for names it has not', () => {
    for (const [other, name] of otherNames) {
      expect(commands).to.include.keys(name).and.not.include.keys(other);
    }
  });

  it('has these flags before a command', () => {
    expect(written(globalFlags)).to.equal(
      'root= log= log-format=(text|json) log-level=(error|warning|warn|info|debug)? debug systemd-cgroup cgroup-manager=(cgroupfs|systemd|disabled) rootless=(true|false|auto) -v version -h help',
    );
  });

  for (const [name, [flags, positionals = '']] of Object.entries(contract)) {
    it(`has these flags and arguments of ${name}`, async () => {
      const command = (await commands[name]?.load())?.command;
      expect(written(command?.flags ?? {})).to.equal(flags);
      const words = (command?.positionals ?? []).map(({ name: word, optional, rest }) => {
        const all = rest === true ? `${word}...` : word;
        return optional === true ? `[${all}]` : all;
      });
      if (command?.stopAtPositional === true) words.push('stops');
      expect(words.join(' ')).to.equal(positionals);
      expect(command?.failureStatus).to.equal(name === 'exec' ? 255 : undefined);
      for (const [flag, { help, value, kind, choices }] of Object.entries(command?.flags ?? {})) {
        expect(help, flag).to.match(/^\S.{4,}\S$/);
        if (kind !== 'boolean' && choices === undefined) expect(value, flag).to.match(/^\S+$/);
      }
      for (const example of command?.examples ?? []) expect(example).to.contain(`tsrun ${name}`);
      expect(commands[name]?.summary).to.match(/^\S.{4,}\S$/);
    });
  }
});
