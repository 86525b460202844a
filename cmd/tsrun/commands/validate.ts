import { validateBundle } from '../../../lib/preflight/validate-bundle.ts';
import type { Position } from '../../../lib/core/source.ts';
import { noticePosition, renderNotice } from '../render.ts';
import { type Finding, isError } from '../../../lib/core/finding.ts';
import { shortenMessage, printable, shorten } from '../../../lib/core/message-text.ts';
import { cgroupDriverOf, previewRootOf } from '../context.ts';
import { defineCommand } from '../command.ts';
import { bundleArgument, bundleFlag, formatFlag } from '../flags/flags.ts';
import { print } from '../output.ts';

export const command = defineCommand({
  flags: {
    bundle: bundleFlag,
    strict: { kind: 'boolean', help: 'exit with 1 on warnings, too' },
    format: formatFlag('text'),
  },
  positionals: [bundleArgument],
  examples: ['tsrun validate /tmp/bundle', 'tsrun validate --strict --format json'],
  run({ flags, args, globals }) {
    const request = { id: 'validate', root: previewRootOf(globals), cgroupDriver: cgroupDriverOf(globals) };
    const findings = validateBundle(flags.bundle ?? args[0] ?? '.', request)
      .map((finding) => ({ ...finding, ...noticePosition(finding) }))
      .sort((a, b) => a.line - b.line || a.column - b.column);
    const valid = !findings.some(isError);
    print(flags.format === 'json' ? jsonOf(valid, findings) : textOf(findings));
    return valid && !(flags.strict && findings.length > 0) ? 0 : 1;
  },
});

type Placed = Finding & Position;

/** Messages quote the file, which may be of any size. No message of tsrun itself is longer. */
const longestText = 1000;

function cut(text: string): string {
  return shorten(shortenMessage(text), longestText);
}

/** Documented in docs/inspecting.md: other programs rely on it. */
function jsonOf(valid: boolean, findings: readonly Placed[]): string {
  const list = findings.map(({ severity, line, column, pointer, reason, hint }) => ({
    severity,
    line,
    column,
    pointer: cut(pointer),
    message: cut(reason),
    ...(hint === undefined ? {} : { advice: cut(hint) }),
  }));
  return `${JSON.stringify({ valid, findings: list }, null, 2)}\n`;
}

function textOf(findings: readonly Placed[]): string {
  const rows = findings.map((finding) => {
    const { severity, hint } = finding;
    const advice = hint === undefined ? '' : `  hint: ${printable(hint)}\n`;
    return `${severity}: ${renderNotice(finding)}\n${advice}`;
  });
  return rows.join('') + summary(findings);
}

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter(isError).length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return 'valid: nothing found that would keep this host from running it\n';
  return `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}\n`;
}
