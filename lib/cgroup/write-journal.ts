/** Files with a line for each device or interface, which begins with its name. */
const keyed =
  /^(blkio\.throttle\.|blkio\..*weight_device$|io\.(bfq\.)?weight$|io\.(max|latency|cost)|rdma\.max$|misc\.max$|dmem\.|net_prio\.ifpriomap$)/;

/** What a device without a line of its own has, as the file takes it. */
const unset: readonly (readonly [RegExp, string])[] = [
  [/^blkio\.throttle\./, '0'],
  [/weight/, 'default'],
  [/^io\.max$/, 'rbps=max wbps=max riops=max wiops=max'],
];

/**
 * What to write to a cgroup file to undo a write.
 *
 * @param file its name.
 * @param written what the write to undo consists of.
 * @param before what the file said before it.
 * @returns undefined when the file takes nothing that would restore it.
 */
export function previousValue(file: string, written: string, before: string): string | undefined {
  if (file === 'memory.oom_control') return /^oom_kill_disable ([01])$/m.exec(before)?.[1];
  const lines = before.split('\n').filter((line) => line.trim() !== '');
  if (!keyed.test(file)) {
    // An empty write is none at all to the kernel.
    return lines.length > 1 ? undefined : (lines[0]?.trim() ?? '\n');
  }
  const [key = '', ...values] = written.split(' ');
  if (values.length === 0) return defaultLine(lines);
  const line = lines.find((text) => text.split(' ')[0] === key);
  if (line !== undefined) return line.trim();
  const value = unset.find(([pattern]) => pattern.test(file))?.[1];
  return value === undefined ? undefined : `${key} ${value}`;
}

/** Weights have one for all devices without their own: alone in its file, or with the word `default` before it. */
function defaultLine(lines: readonly string[]): string | undefined {
  return lines.length === 1 ? lines[0] : lines.find((line) => line.startsWith('default '));
}
