import { readFileSync } from 'node:fs';
import { withPidfd } from '../state/process.ts';
import type { ProcessRef } from '../state/record.ts';

/** The counters of a network interface. */
export interface NetworkStats {
  name: string;
  received: NetworkCounters;
  sent: NetworkCounters;
}

export interface NetworkCounters {
  bytes: bigint;
  packets: bigint;
  errors: bigint;
  dropped: bigint;
}

/** The interfaces in the network namespace of a process, without `lo`; none when the process has ended. */
export function readNetworkStats(init: ProcessRef): NetworkStats[] {
  const text = withPidfd(init, () => {
    try {
      return readFileSync(`/proc/${init.pid}/net/dev`, 'utf8');
    } catch {
      // The process has ended meanwhile, or the caller may not see it.
      return '';
    }
  });
  return parseNetworkStats(text ?? '').filter(({ name }) => name !== 'lo');
}

/** Parses /proc/PID/net/dev (proc_pid_net(5)): two header lines, then eight columns received and eight sent. */
export function parseNetworkStats(text: string): NetworkStats[] {
  const interfaces: NetworkStats[] = [];
  for (const line of text.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':');
    const columns = line.slice(colon + 1).match(/\d+/g);
    if (colon < 0 || columns === null || columns.length < 16) continue;
    const at = (first: number): NetworkCounters => {
      const [bytes = 0n, packets = 0n, errors = 0n, dropped = 0n] = columns
        .slice(first, first + 4)
        .map(BigInt);
      return { bytes, packets, errors, dropped };
    };
    interfaces.push({ name: line.slice(0, colon).trim(), received: at(0), sent: at(8) });
  }
  return interfaces;
}
