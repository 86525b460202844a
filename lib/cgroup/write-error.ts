import { posix } from 'node:path';
import { type ErrorCode, TsrunError } from '../core/error.ts';
import { errnoName, errnoText } from '../core/errno.ts';
import { readValue } from './files.ts';
import { runWithoutCgroups } from './cgroups-path.ts';
import { type CgroupWrite, propertyName } from './cgroup-write.ts';

/**
 * The error for a value the kernel refused: the property, the value, the file and the reason. Its code is 'unsupported'
 * when the kernel has no such file, 'system' when tsrun may not write it, else 'config'.
 */
export function writeError(write: CgroupWrite, path: string, errno: number): TsrunError {
  const name = errnoName(errno);
  const { detail, hint } = explain(write, path, name);
  const reason = detail === undefined ? errnoText(errno) : `${errnoText(errno)}: ${detail}`;
  return new TsrunError(
    codeOf(name),
    `cannot set ${propertyName(write)} to "${write.value}": write ${path}: ${reason}`,
    {
      pointer: write.pointer,
      errno,
      hint,
    },
  );
}

function codeOf(name: string): ErrorCode {
  if (name === 'ENOENT' || name === 'EOPNOTSUPP') return 'unsupported';
  return ['EPERM', 'EACCES', 'EROFS'].includes(name) ? 'system' : 'config';
}

interface Explanation {
  detail?: string;
  hint?: string;
}

/** What the kernel means by the errno, for files where that is not obvious. */
function explain({ file, controller, value }: CgroupWrite, path: string, name: string): Explanation {
  const directory = posix.dirname(path);
  if (file === 'memory.limit_in_bytes' && name === 'EBUSY') {
    const usage = tryRead(`${directory}/memory.usage_in_bytes`);
    const peak = tryRead(`${directory}/memory.max_usage_in_bytes`);
    return { detail: `the container uses ${usage} bytes (peak ${peak})` };
  }
  if (file === 'memory.limit_in_bytes' && name === 'EINVAL') {
    return {
      detail: `the limit of memory and swap together is ${tryRead(`${directory}/memory.memsw.limit_in_bytes`)}`,
      hint: 'Change swap with it: the memory limit must not be above that of memory and swap together.',
    };
  }
  if (file.startsWith('memory.memsw.')) return explainSwap(directory, name);
  if (file === 'memory.use_hierarchy' && name === 'EINVAL') {
    return { hint: 'Since Linux 5.11 a cgroup always includes its children: remove useHierarchy.' };
  }
  if (controller === 'cpuset') {
    const parents = tryRead(`${posix.dirname(directory)}/${file}`);
    return { detail: `the parent cgroup has ${parents}` };
  }
  if (file.startsWith('cpu.rt_') && name === 'ENOENT') {
    return { hint: 'This kernel is built without real-time group scheduling (CONFIG_RT_GROUP_SCHED).' };
  }
  if (file.startsWith('cpu.rt_') && name === 'EINVAL') {
    return { hint: 'The parent cgroup must have at least as much cpu.rt_runtime_us to give.' };
  }
  if (/^cpu\.(?:cfs_|max)/.test(file) && name === 'EINVAL') {
    const bounds = 'Periods are 1000 to 1000000 µs, quotas at least 1000 µs';
    return { hint: `${bounds}, not below the burst, and within those of the parent cgroups.` };
  }
  if (file === 'cpu.shares' && name === 'EINVAL') return { hint: 'A cgroup with cpu.idle 1 has no shares.' };
  if (file.startsWith('blkio.leaf_'))
    return { hint: 'Linux 5.0 removed leaf weights together with the CFQ scheduler.' };
  if (file.startsWith('blkio.bfq.')) {
    return { hint: 'Weights (1 to 1000) need the bfq scheduler: see /sys/block/*/queue/scheduler.' };
  }
  if (file === 'devices.deny' && name === 'EPERM') {
    return { hint: `Device rules need CAP_SYS_ADMIN over the host. ${runWithoutCgroups}` };
  }
  if (controller === 'devices' && name === 'EPERM') {
    return { hint: 'tsrun runs in a cgroup that does not allow this device itself.' };
  }
  if (controller === 'devices' && value === 'a') {
    return { detail: 'the cgroup has children', hint: 'Use a cgroupsPath that does not exist yet.' };
  }
  return {};
}

function explainSwap(directory: string, name: string): Explanation {
  if (name === 'ENOENT') return { hint: 'This kernel does not account swap: boot it with swapaccount=1.' };
  if (name !== 'EINVAL') return {};
  const limit = tryRead(`${directory}/memory.limit_in_bytes`);
  return {
    detail: `the memory limit is ${limit}`,
    hint: 'swap is the limit of memory and swap together: it must not be lower than the memory limit.',
  };
}

/** Only for messages: what cannot be read is unknown. */
function tryRead(path: string): string {
  try {
    return readValue(path);
  } catch {
    return 'unknown';
  }
}
