import { exec } from '../../../lib/container/exec.ts';
import { parseSubCgroups } from '../../../lib/container/exec-cgroup.ts';
import { parseId, parseUser } from '../../../lib/container/exec-process.ts';
import { containerId, defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { listenRequest, preserveFds } from '../flags/create-flags.ts';

export const command = defineCommand({
  flags: {
    process: {
      kind: 'string',
      short: 'p',
      value: 'FILE',
      help: 'JSON file with the process to run, as in config.json; the other flags change it',
    },
    cwd: { kind: 'string', value: 'DIR', help: 'working directory in the container' },
    env: { kind: 'strings', short: 'e', value: 'NAME=VALUE', help: 'add to the environment' },
    tty: { kind: 'boolean', short: 't', help: 'give the process a terminal' },
    user: { kind: 'string', short: 'u', value: 'UID[:GID]', help: 'user and group, as numbers' },
    'additional-gids': { kind: 'strings', short: 'g', value: 'GID', help: 'add a group' },
    cap: {
      kind: 'strings',
      short: 'c',
      value: 'CAP',
      help: 'add a capability (bounding, effective, permitted)',
    },
    'no-new-privs': { kind: 'boolean', help: 'set no_new_privs' },
    apparmor: { kind: 'string', value: 'PROFILE', help: 'AppArmor profile' },
    'process-label': { kind: 'string', value: 'LABEL', help: 'SELinux label' },
    detach: { kind: 'boolean', short: 'd', help: 'return once the process runs' },
    'pid-file': { kind: 'string', value: 'FILE', help: 'write the pid of the process to FILE' },
    'console-socket': { kind: 'string', value: 'PATH', help: "unix socket that gets the terminal's master" },
    'pidfd-socket': { kind: 'string', value: 'PATH', help: 'unix socket that gets a pidfd of the process' },
    'preserve-fds': { kind: 'integer', value: 'N', help: 'pass N descriptors from 3 on to the process' },
    cgroup: {
      kind: 'strings',
      value: '[CONTROLLER[,CONTROLLER]:]PATH',
      help: "run it in a cgroup below the container's, which must exist",
    },
    'ignore-paused': { kind: 'boolean', help: 'also in a paused container; it runs when that is resumed' },
  },
  positionals: [
    containerId,
    { name: 'command', help: 'the command to run and its arguments', optional: true, rest: true },
  ],
  stopAtPositional: true,
  // What the process itself ends with must not be taken for a failure of exec.
  failureStatus: 255,
  examples: ['tsrun exec c1 ps', 'tsrun exec --tty c1 sh', 'tsrun exec --detach --process process.json c1'],
  run({ flags, args: [id = '', ...command], globals }) {
    return exec({
      root: rootOf(globals),
      id,
      log: logOf(globals),
      process: {
        file: given(flags.process),
        changes: {
          args: withoutDashes(command),
          cwd: given(flags.cwd),
          env: flags.env,
          terminal: flags.tty,
          user: flags.user === undefined ? undefined : parseUser(flags.user),
          additionalGids: flags['additional-gids'].map((gid) => parseId('--additional-gids', gid)),
          capabilities: flags.cap,
          noNewPrivileges: flags['no-new-privs'],
          apparmorProfile: given(flags.apparmor),
          selinuxLabel: given(flags['process-label']),
        },
      },
      detach: flags.detach,
      pidFile: flags['pid-file'],
      consoleSocket: given(flags['console-socket']),
      pidfdSocket: given(flags['pidfd-socket']),
      preserveFds: preserveFds(flags['preserve-fds']),
      ...listenRequest(process.env),
      subCgroups: parseSubCgroups(flags.cgroup),
      ignorePaused: flags['ignore-paused'],
    });
  },
});

/** An empty value is what callers write for "none". */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** No program is called `--`; who knows kubectl writes it before the command. */
function withoutDashes(command: readonly string[]): readonly string[] {
  return command[0] === '--' ? command.slice(1) : command;
}
