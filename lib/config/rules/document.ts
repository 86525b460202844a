import { specVersion } from '../defaults.ts';
import { error, type Report, warning } from '../../core/finding.ts';
import type { Config } from '../types.ts';

const semver = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\dA-Za-z.-]+)?(?:\+[\dA-Za-z.-]+)?$/;

/** config.md, "Specification version": versions of one major number understand each other. */
export function ociVersion({ ociVersion: version }: Config, report: Report): void {
  const [, major, minor] = semver.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    report(error('/ociVersion', 'must be a version like 1.3.0'));
  } else if (major !== '1') {
    report(error('/ociVersion', `tsrun implements version 1 of the runtime specification, not ${major}`));
  } else if (Number(minor) > Number(specVersion.split('.')[1])) {
    report(warning('/ociVersion', `newer than ${specVersion}: properties it added are ignored`));
  }
}

/** config.md, "Root": required on Linux. */
export function rootIsThere({ root }: Config, report: Report): void {
  if (root === undefined) report(error('/root', 'required property is missing'));
}

/** config.md, "Process": optional in the file, needed to make a container. */
export function processIsThere({ process: processSpec }: Config, report: Report): void {
  if (processSpec === undefined) report(error('/process', 'required property is missing'));
}

/** config.md, "Annotations". */
export function annotations({ annotations }: Config, report: Report): void {
  if (Object.hasOwn(annotations ?? {}, '')) report(error('/annotations/', 'the key must not be empty'));
}
