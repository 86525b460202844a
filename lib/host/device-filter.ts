import { systemError } from '../errors.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const filterNative: Native<[string, Uint8Array, number, Uint8Array, number]> = native(
  'int tsrun_device_filter(const char *, const void *, unsigned int, void *, unsigned int)',
);

const logBytes = 16 * 1024;

/**
 * Attaches a BPF_PROG_TYPE_CGROUP_DEVICE program (an array of struct bpf_insn) to a cgroup v2 directory, in the
 * place of those attached to it before. Throws with the verifier's reason when it refuses the program.
 */
export function attachDeviceFilter(cgroup: string, program: Uint8Array): void {
  const log = Buffer.alloc(logBytes);
  const result = filterNative(cgroup, program, program.length, log, log.length);
  if (result >= 0) return;
  const reason = log
    .toString('latin1', 0, Math.max(0, log.indexOf(0)))
    .trim()
    .replace(/\s+/g, ' ');
  const what = reason === '' ? '' : ` (${reason.slice(-200)})`;
  throw systemError(`set the device rules of ${cgroup}${what}`, result);
}
