import { setTimeout as delay } from 'node:timers/promises';
import { firstSamples, nextSamples, type Usage, usagesBetween } from '../../../lib/report/usage.ts';
import { parseDuration } from '../flags/values.ts';
import { writeJson } from '../../../lib/config/json/write.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { formatFlag } from '../flags/flags.ts';
import { print, table } from '../output.ts';

export const command = defineCommand({
  flags: {
    format: formatFlag('table'),
    interval: {
      kind: 'string',
      value: 'DURATION',
      help: 'time over which CPU usage is measured (default 500ms)',
    },
    stream: { kind: 'boolean', help: 'print again after each interval until the containers end' },
    'no-stream': { kind: 'boolean', help: 'print once (default)', hidden: true },
  },
  positionals: [
    { name: 'container-id', help: 'ids of the containers (default: all)', optional: true, rest: true },
  ],
  examples: ['tsrun stats', 'tsrun stats --stream --interval 2s c1', 'tsrun stats --format json'],
  async run({ flags, args, globals }) {
    const root = rootOf(globals);
    const interval = parseDuration('--interval', flags.interval ?? '500ms');
    const show = flags.format === 'json' ? asJson : asTable;
    let before = firstSamples(root, args);
    do {
      if (before.length > 0) await delay(interval);
      const after = nextSamples(root, before);
      if (flags.stream && after.length === 0) break;
      if (!print(show(usagesBetween(before, after)))) break;
      before = after;
    } while (flags.stream && !flags['no-stream']);
    return 0;
  },
});

function asJson(usages: readonly Usage[]): string {
  const list = usages.map(({ network, block, memoryLimit, pidsLimit, cpuPercent, ...usage }) => ({
    ...usage,
    cpuPercent: Number(cpuPercent.toFixed(2)),
    memoryLimit: memoryLimit ?? null,
    network: network ?? null,
    block,
    pidsLimit: pidsLimit ?? null,
  }));
  return `${writeJson(list)}\n`;
}

const header = ['ID', 'CPU', 'CPU TIME', 'MEMORY', 'LIMIT', 'NET RX / TX', 'BLOCK R / W', 'PIDS'];

function asTable(usages: readonly Usage[]): string {
  const rows = usages.map(
    ({ id, cpuPercent, cpuTime, memory, memoryLimit, network, block, pids, pidsLimit }) => [
      id,
      `${cpuPercent.toFixed(1)}%`,
      `${(Number(cpuTime) / 1e9).toFixed(2)}s`,
      size(memory),
      memoryLimit === undefined ? '-' : size(memoryLimit),
      network === undefined ? '-' : `${size(network.received)} / ${size(network.sent)}`,
      `${size(block.read)} / ${size(block.written)}`,
      pidsLimit === undefined ? String(pids) : `${pids} / ${pidsLimit}`,
    ],
  );
  return table(header, rows);
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Formats bytes with about three digits: `1.50GiB`, `12.3MiB`, `999B`. */
function size(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit] ?? ''}`;
}
