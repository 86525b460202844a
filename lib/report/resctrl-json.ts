import type { ResctrlStats, ResourceStats } from '../resctrl/stats.ts';
import type { JsonValue } from '../config/json/write.ts';

type JsonObject = Readonly<Record<string, JsonValue | undefined>>;

/** `intel_rdt` of a stats event, with runc's names; empty for a container without a class. Pure. */
export function resctrlData(stats: ResctrlStats | undefined): JsonObject {
  if (stats === undefined) return {};
  const { schemata, l3Cache, memoryBandwidth, traffic, occupancy } = stats;
  return {
    l3_cache_info: infoData(l3Cache),
    l3_cache_schema_root: l3Cache?.rootSchema,
    l3_cache_schema: l3Cache?.schema,
    mem_bw_info: infoData(memoryBandwidth),
    mem_bw_schema_root: memoryBandwidth?.rootSchema,
    mem_bw_schema: memoryBandwidth?.schema,
    schemata: schemata.length === 0 ? undefined : schemata,
    mbm_stats: traffic?.map(({ total, local }) => ({ mbm_total_bytes: total, mbm_local_bytes: local })),
    cmt_stats: occupancy?.map((bytes) => ({ llc_occupancy: bytes })),
  };
}

/** By the names of the kernel's files. All values but the mask are numbers; 0 is left out. */
function infoData(resource: ResourceStats | undefined): JsonObject | undefined {
  if (resource === undefined) return undefined;
  return Object.fromEntries(
    [...resource.info].flatMap(([name, text]): [string, JsonValue][] => {
      if (name === 'cbm_mask') return [[name, text]];
      return /^\d+$/.test(text) && BigInt(text) !== 0n ? [[name, BigInt(text)]] : [];
    }),
  );
}
