// What the compiled engine says when it crashes. Bun's own words ask the user to follow a link to those who make
// Bun, with what it has found out about the process; a user of tsrun has nothing to do with them. The words are
// constants in the executable, replaced in place by others of the same length.

import { BuildError } from './step.mjs';

/** @type {readonly (readonly [from: string, to: string])[]} */
const replacements = [
  [
    'Bun has crashed. This indicates a bug in Bun, not your code.\n',
    'the engine of tsrun (Bun) has crashed; its reason is above.\n',
  ],
  ['Bun has run out of memory.\n', 'it has run out of memory.\n'],
  [
    "To send a redacted crash report to Bun's team,\nplease file a GitHub issue using the link below:\n",
    'tsrun has not finished what it was told. If it fails again, report it to tsrun with this text.\n',
  ],
  ['https://bun.report', 'details for tsrun:'],
  ['bun ran out of file descriptors', 'tsrun has too few descriptors'],
  // Advice to change the whole system, for what is a limit of one process.
  [
    'That will only work for the current shell. To fix this for the entire system, run:\n\n  sudo echo -e "\\nfs.file-max=2147483646\\n"  /etc/sysctl.conf\n  sudo sysctl -p\n',
    '\n',
  ],
  [
    'That will only work for the current shell. To fix this for the entire system, run:\n\n  \x1b[36msudo echo -e "\\nfs.file-max=2147483646\\n"  /etc/sysctl.conf\x1b[0m\n  \x1b[36msudo sysctl -p\x1b[0m\n',
    '\n',
  ],
];

/**
 * Replaces the words in the executable `bytes`.
 * @param {Buffer} bytes
 * @throws BuildError when one of them is not there: Bun has changed
 */
export function replaceCrashText(bytes) {
  for (const [from, to] of replacements) {
    const [old, text] = [Buffer.from(from), Buffer.alloc(Buffer.byteLength(from), ' ')];
    if (Buffer.byteLength(to) > old.length) throw new BuildError(`longer than what it replaces: ${to}`);
    text.write(to);
    if (to.endsWith('\n')) text.write('\n', text.length - 1);
    let found = 0;
    for (let at = bytes.indexOf(old); at >= 0; at = bytes.indexOf(old, at + old.length)) {
      text.copy(bytes, at);
      found++;
    }
    if (found === 0) throw new BuildError(`this Bun does not say ${JSON.stringify(from)}`);
  }
}
