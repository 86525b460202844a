import { exec } from '../../../lib/container/exec.ts';
import { defineCommand } from '../command.ts';
import { listenRequest, logOf, rootOf } from '../context.ts';
import { containerId, preserveFds, processFlags } from '../flags/flags.ts';
import { given, parseId, parseSubCgroups, parseUser } from '../flags/values.ts';

export const command = defineCommand({
  flags: {
    process: {
      kind: 'string',
      short: 'p',
      value: 'FILE',
      help: 'JSON file with the process, in the form of process in config.json; other flags override it',
    },
    cwd: { kind: 'string', value: 'DIR', help: 'working directory of the process' },
    env: { kind: 'strings', short: 'e', value: 'NAME=VALUE', help: 'set an environment variable' },
    tty: { kind: 'boolean', short: 't', help: 'allocate a terminal for the process' },
    user: { kind: 'string', short: 'u', value: 'UID[:GID]', help: 'run as this user and group (numbers)' },
    'additional-gids': { kind: 'strings', short: 'g', value: 'GID', help: 'add a supplementary group' },
    cap: {
      kind: 'strings',
      short: 'c',
      value: 'CAP',
      help: 'add a capability to the bounding, effective and permitted set',
    },
    'no-new-privs': { kind: 'boolean', help: 'set no_new_privs' },
    apparmor: { kind: 'string', value: 'PROFILE', help: 'AppArmor profile of the process' },
    'process-label': { kind: 'string', value: 'LABEL', help: 'SELinux label of the process' },
    detach: { kind: 'boolean', short: 'd', help: 'do not wait for the process to end' },
    ...processFlags,
    cgroup: {
      kind: 'strings',
      value: '[CONTROLLER[,CONTROLLER]:]PATH',
      help: "run in an existing cgroup below the container's",
    },
    'ignore-paused': {
      kind: 'boolean',
      help: 'allow a paused container; the process runs when it is resumed',
    },
  },
  positionals: [
    containerId,
    { name: 'command', help: 'the command and its arguments', optional: true, rest: true },
  ],
  stopAtPositional: true,
  // exec exits with the status of the process: callers must be able to tell a failure of tsrun from it.
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
          user: flags.user === undefined ? undefined : parseUser('--user', flags.user),
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
      subCgroups: parseSubCgroups('--cgroup', flags.cgroup),
      ignorePaused: flags['ignore-paused'],
    });
  },
});

/** Drops a `--` before the command, which users of kubectl write; no program has this name. */
function withoutDashes(command: readonly string[]): readonly string[] {
  return command[0] === '--' ? command.slice(1) : command;
}
