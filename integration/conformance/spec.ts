import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../harness/run.ts';
import type { Outcome } from './judge.ts';
import type { Stage } from './stage.ts';
import type { Suite } from './suite.ts';

/**
 * Has `oci-runtime-tool validate` look at what `spec` of the runtime writes, for root and rootless. The tool
 * fetches the JSON schema from GitHub; without a network the rest of its checks count alone, and lib/config's own
 * tests hold the same config against the same schema.
 */
export async function checkSpec(suite: Suite, stage: Stage): Promise<Outcome> {
  const outcome: Outcome = { verdict: 'pass', ok: 0, notOk: 0, skipped: 0, complaints: [] };
  for (const flags of [[], ['--rootless']]) {
    const bundle = join(stage.bundles, ['spec', ...flags].join(''));
    mkdirSync(join(bundle, 'rootfs'), { recursive: true });
    const written = await run(stage.runtime, ['spec', ...flags, '--bundle', bundle]);
    const checked = await run(suite.ociRuntimeTool, ['validate', '--path', bundle]);
    const found = [...(written.status === 0 ? [] : [written.stderr.trim()]), ...errors(checked.stderr)];
    if (checked.status !== 0 && errors(checked.stderr, () => true).length === 0) {
      found.push(`exit status ${checked.status}: ${checked.stderr.trim()}`);
    }
    if (found.length === 0) outcome.ok++;
    else outcome.notOk++;
    outcome.complaints.push(...found);
  }
  if (outcome.notOk > 0) outcome.verdict = 'fail';
  return outcome;
}

/** The tool lists its errors, each after an asterisk. */
function errors(stderr: string, counts: (error: string) => boolean = isAboutConfig): string[] {
  return [...stderr.matchAll(/^\s*\* (.+)$/gm)].map((match) => match[1] ?? '').filter(counts);
}

function isAboutConfig(error: string): boolean {
  return !/^Get "https:\/\/\S+-schema\.json": (dial|proxyconnect) tcp/.test(error);
}
