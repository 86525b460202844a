/** The limits of a resctrl class and its usage (kernel documentation, filesystems/resctrl). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';
import type { ResctrlRecord } from './class.ts';
import { linesOf, resourceOf } from './schemata.ts';

export interface ResctrlStats {
  /** All lines of its class. */
  schemata: string[];
  l3Cache: ResourceStats | undefined;
  memoryBandwidth: ResourceStats | undefined;
  /** Bytes by L3 cache; undefined where the processor does not count them. */
  traffic: { total: bigint; local: bigint }[] | undefined;
  /** Bytes in each L3 cache. */
  occupancy: bigint[] | undefined;
}

/** A resource that the processor can divide. */
export interface ResourceStats {
  /** The texts of the files in its folder below `info`, by file name. */
  info: ReadonlyMap<string, string>;
  /** The line of the default class. */
  rootSchema: string | undefined;
  schema: string | undefined;
}

const infoFiles = {
  L3: ['cbm_mask', 'min_cbm_bits', 'num_closids'],
  MB: ['bandwidth_gran', 'delay_linear', 'min_bandwidth', 'num_closids'],
};

/**
 * Reads the schemata of a container's class and the counters of its monitoring group; without one, those of the class,
 * which count all of its containers. `root` is where resctrl is mounted.
 */
export function readResctrlStats(root: string, { directory, monitor }: ResctrlRecord): ResctrlStats {
  const rootLines = linesOf(readIfThere(join(root, 'schemata')));
  const schemata = linesOf(readIfThere(join(directory, 'schemata')));
  const resource = (name: keyof typeof infoFiles): ResourceStats | undefined => {
    const info = infoFiles[name].flatMap((file): [string, string][] => {
      const text = readIfThere(join(root, 'info', name, file));
      return text === undefined ? [] : [[file, text.trim()]];
    });
    if (info.length === 0) return undefined;
    // With code and data prioritization there are L3CODE and L3DATA.
    const isIts = (line: string): boolean => resourceOf(line).startsWith(name);
    return { info: new Map(info), rootSchema: rootLines.findLast(isIts), schema: schemata.findLast(isIts) };
  };
  const counted = new Set(linesOf(readIfThere(join(root, 'info', 'L3_MON', 'mon_features'))));
  const caches = cachesOf(join(monitor ?? directory, 'mon_data'));
  const counter = (cache: string, name: string): bigint =>
    counted.has(name) ? numberOf(readIfThere(join(cache, name))) : 0n;
  const countsTraffic = counted.has('mbm_total_bytes') || counted.has('mbm_local_bytes');
  return {
    schemata,
    l3Cache: resource('L3'),
    memoryBandwidth: resource('MB'),
    traffic: countsTraffic
      ? caches.map((cache) => ({
          total: counter(cache, 'mbm_total_bytes'),
          local: counter(cache, 'mbm_local_bytes'),
        }))
      : undefined,
    occupancy: counted.has('llc_occupancy')
      ? caches.map((cache) => counter(cache, 'llc_occupancy'))
      : undefined,
  };
}

/** The folders of the L3 caches, `mon_L3_00`. */
function cachesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('mon_L3_'))
      .toSorted()
      .map((name) => join(folder, name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw fileError(`read ${folder}`, error);
  }
}

/** 0 for `Unavailable`, which the kernel says until the processor has counted. */
function numberOf(text: string | undefined): bigint {
  const digits = text?.trim() ?? '';
  return /^\d+$/.test(digits) ? BigInt(digits) : 0n;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw fileError(`read ${path}`, error);
  }
}
