import { features } from '../../../lib/report/features.ts';
import { readFeatureFacts } from '../../../lib/report/features-host.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { commit, version } from '../version.ts';

export const command = defineCommand({
  flags: {},
  positionals: [],
  examples: ['tsrun features'],
  run() {
    print(`${JSON.stringify(features(readFeatureFacts(), { version, commit }), null, 4)}\n`);
    return 0;
  },
});
