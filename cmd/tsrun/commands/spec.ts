import { closeSync, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hasErrno } from '../../../lib/core/errno.ts';
import { fileError, TsrunError } from '../../../lib/core/error.ts';
import { defaultConfig } from '../../../lib/config/defaults.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  flags: {
    bundle: {
      kind: 'string',
      short: 'b',
      value: 'DIR',
      help: 'the bundle to write config.json to (default: the working directory)',
    },
    rootless: { kind: 'boolean', help: 'write a config for an unprivileged user' },
  },
  positionals: [],
  examples: ['tsrun spec --bundle /tmp/bundle'],
  run({ flags }) {
    const file = join(resolve(flags.bundle ?? '.'), 'config.json');
    const config = defaultConfig({
      rootless: flags.rootless,
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
    });
    let fd: number;
    try {
      fd = openSync(file, 'wx', 0o666);
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) {
        throw new TsrunError('bundle', `File config.json exists. Remove it first (${file})`, {
          cause: error,
        });
      }
      throw fileError(`write ${file}`, error, { hint: 'the bundle must be a directory that exists' });
    }
    try {
      writeSync(fd, `${JSON.stringify(config, null, 2)}\n`);
    } finally {
      closeSync(fd);
    }
    return 0;
  },
});
