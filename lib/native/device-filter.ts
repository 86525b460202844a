import { errnos } from '../core/errno.ts';
import { systemError } from '../core/error.ts';
import { call } from './library.ts';

/** Room for what the verifier says of a program it refuses. */
const logBytes = 16 * 1024;

const hints = new Map([
  [
    errnos.EPERM,
    'bpf(2) needs CAP_SYS_ADMIN on the host, a seccomp filter around tsrun must not forbid it, and no cgroup above may have a device program that is attached alone.',
  ],
  [errnos.EINVAL, 'The kernel must be built with CONFIG_CGROUP_BPF, and the directory be one of cgroup v2.'],
  [errnos.ENOSYS, 'The kernel must be built with CONFIG_BPF_SYSCALL.'],
]);

/**
 * Attaches a BPF_PROG_TYPE_CGROUP_DEVICE program (an array of struct bpf_insn) to a cgroup v2 directory. It replaces
 * the program that this function attached before. Programs of others (systemd has its own) stay: the kernel allows
 * an access when all programs do.
 *
 * @throws TsrunError 'system', with the verifier's reason when it refuses the program.
 */
export function attachDeviceFilter(cgroup: string, program: Uint8Array): void {
  const log = Buffer.alloc(logBytes);
  const result = call('tsrun_device_filter', cgroup, program, program.length, log, log.length);
  if (result >= 0) return;
  const reason = log
    .toString('latin1', 0, Math.max(0, log.indexOf(0)))
    .trim()
    .replace(/\s+/g, ' ');
  const what = reason === '' ? '' : ` (${reason.slice(-200)})`;
  const hint = hints.get(-result);
  throw systemError(`set the device rules of ${cgroup}${what}`, result, { hint });
}
