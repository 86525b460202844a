/** Parsers for the statistics files of cgroups. Lines of another format are left out: newer kernels may add some. */
import type { BlkioEntry, Pressure, PressureLine } from './types.ts';

/** The number for `max`. */
export const unlimited = (1n << 64n) - 1n;

const integer = /^-?\d+$/;

/** A file with one number, or `max`; undefined for anything else. */
export function parseCounter(text: string): bigint | undefined {
  const value = text.trim();
  if (value === 'max') return unlimited;
  return integer.test(value) ? BigInt(value) : undefined;
}

/** Lines of a name and a number (`cache 4096`). */
export function parseCounters(text: string): Map<string, bigint> {
  const counters = new Map<string, bigint>();
  for (const line of text.split('\n')) {
    const [name = '', value = '', ...rest] = line.split(' ');
    if (name !== '' && rest.length === 0 && integer.test(value)) counters.set(name, BigInt(value));
  }
  return counters;
}

/** Numbers in a row (cpuacct.usage_percpu). */
export function parseRow(text: string): bigint[] {
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => integer.test(word))
    .map(BigInt);
}

/** cpuacct.usage_all: a header, and for each CPU its number and the nanoseconds in user and kernel mode. */
export function parseUsageAll(text: string): { user: bigint[]; kernel: bigint[] } {
  const [header = '', ...lines] = text.trim().split('\n');
  const columns = header.split(' ');
  const column = (name: string): bigint[] => {
    const index = columns.indexOf(name);
    return index < 0 ? [] : lines.map((line) => parseRow(line)[index] ?? 0n);
  };
  return { user: column('user'), kernel: column('system') };
}

/** A blkio file of cgroup v1: `8:0 Read 4096` or `8:0 4096` for each device, and a total of all. */
export function parseBlkio(text: string): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of text.split('\n')) {
    const [, major, minor, op = '', value] = /^(\d+):(\d+)(?: ([A-Za-z]+))? (\d+)$/.exec(line) ?? [];
    if (major === undefined || minor === undefined || value === undefined) continue;
    entries.push({ major: BigInt(major), minor: BigInt(minor), op, value: BigInt(value) });
  }
  return entries;
}

/** The tables and operations of v1 for the keys of io.stat. */
const ioKeys: Readonly<Record<string, readonly ['serviceBytes' | 'serviced', string]>> = {
  rbytes: ['serviceBytes', 'Read'],
  wbytes: ['serviceBytes', 'Write'],
  rios: ['serviced', 'Read'],
  wios: ['serviced', 'Write'],
};

/** io.stat of cgroup v2: `8:0 rbytes=4096 wbytes=0 rios=1 …` for each device. */
export function parseIoStat(text: string): { serviceBytes: BlkioEntry[]; serviced: BlkioEntry[] } {
  const tables: { serviceBytes: BlkioEntry[]; serviced: BlkioEntry[] } = { serviceBytes: [], serviced: [] };
  for (const line of text.split('\n')) {
    const [, major, minor, rest = ''] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
    if (major === undefined || minor === undefined) continue;
    for (const pair of rest.split(' ')) {
      const [key = '', value = ''] = pair.split('=');
      const target = Object.hasOwn(ioKeys, key) ? ioKeys[key] : undefined;
      if (target === undefined || !integer.test(value)) continue;
      const [table, op] = target;
      tables[table].push({ major: BigInt(major), minor: BigInt(minor), op, value: BigInt(value) });
    }
  }
  return tables;
}

const noPressure: PressureLine = { avg10: 0, avg60: 0, avg300: 0, total: 0n };

/** cpu.pressure and its like. */
export function parsePressure(text: string): Pressure {
  const pressure: Pressure = { some: noPressure, full: noPressure };
  for (const line of text.split('\n')) {
    const [kind, ...pairs] = line.split(' ');
    if (kind !== 'some' && kind !== 'full') continue;
    const values = new Map(
      pairs.map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return [name, value];
      }),
    );
    const share = (name: string): number => Number(values.get(name) ?? 0) || 0;
    const total = values.get('total') ?? '';
    pressure[kind] = {
      avg10: share('avg10'),
      avg60: share('avg60'),
      avg300: share('avg300'),
      total: integer.test(total) ? BigInt(total) : 0n,
    };
  }
  return pressure;
}
