import { TsrunError } from '../../lib/errors.ts';
import { draw } from '../../lib/container/blueprint.ts';
import { silentLog } from '../../lib/log/logger.ts';
import { atConfig } from '../../lib/spec/at.ts';
import type { Bundle } from '../../lib/spec/bundle.ts';
import { readBundle } from '../../lib/spec/bundle.ts';
import type { Finding } from '../../lib/spec/finding.ts';
import { locate } from '../../lib/spec/locate.ts';
import { collectFindings } from '../../lib/spec/validate.ts';
import { cgroupDriverOf, rootOf } from './context.ts';
import { defineCommand } from './command.ts';
import type { GlobalValues } from './command.ts';
import { print } from './output.ts';

export const command = defineCommand({
  flags: {
    bundle: { kind: 'string', short: 'b', value: 'DIR', help: 'the bundle (default: the working directory)' },
    strict: { kind: 'boolean', help: 'fail on warnings, too' },
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['text', 'json'],
      help: 'text (default) or json',
    },
  },
  positionals: [{ name: 'bundle', help: 'the same as --bundle', optional: true }],
  examples: ['tsrun validate /tmp/bundle', 'tsrun validate --strict --format json'],
  async run({ flags, args, globals }) {
    const bundle = readBundle(flags.bundle ?? args[0] ?? '.');
    const findings = await collectFindings(bundle);
    if (!findings.some(isError)) findings.push(...hostFindings(bundle, findings, globals));
    const sorted = findings
      .map((finding) => ({ ...finding, ...place(bundle, finding.pointer) }))
      .sort((a, b) => a.line - b.line || a.column - b.column);
    if (flags.format === 'json') print(`${JSON.stringify(sorted, null, 2)}\n`);
    else print(sorted.map((finding) => textOf(bundle, finding)).join('') + summary(findings));
    const failed = findings.some((finding) => isError(finding) || flags.strict);
    return failed ? 1 : 0;
  },
});

/** What only shows when the config is compiled for this host; its warnings include those known already. */
function hostFindings(bundle: Bundle, known: readonly Finding[], globals: GlobalValues): Finding[] {
  const found: Finding[] = [];
  const request = {
    id: 'validate',
    bundle: bundle.directory,
    root: rootOf(globals),
    log: silentLog,
    cgroupDriver: cgroupDriverOf(globals),
  };
  try {
    const { plan } = draw(request, 'start', () => undefined);
    found.push(
      ...plan.warnings.map(({ pointer, message }): Finding => ({
        severity: 'warning',
        pointer,
        reason: message,
      })),
    );
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const { pointer = '', message, hint } = error;
    found.push({ severity: 'error', pointer, reason: message, ...(hint === undefined ? {} : { hint }) });
  }
  return found.filter(
    ({ pointer, reason }) => !known.some((one) => one.pointer === pointer && one.reason === reason),
  );
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

function place(bundle: Bundle, pointer: string): { line: number; column: number } {
  const { line, column } = locate(bundle.text, pointer);
  return { line, column };
}

function textOf(bundle: Bundle, { severity, pointer, reason, hint }: Finding): string {
  // An error of the compiler says its place itself.
  const placed = /^[^:]+:\d+:\d+: /.test(reason) ? reason : atConfig(bundle, pointer, reason);
  return `${severity}: ${placed}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`;
}

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter(isError).length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return 'valid: this host can run it as it is\n';
  return `${String(errors)} ${errors === 1 ? 'error' : 'errors'}, ${String(warnings)} ${warnings === 1 ? 'warning' : 'warnings'}\n`;
}
