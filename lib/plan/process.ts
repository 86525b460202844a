/** The process itself (config.md, "Process"). */
import { validated } from '../core/assert.ts';
import type { Process } from '../config/types.ts';
import { type Draft, originOf } from './draft.ts';
import { compileEnvironment } from './environment.ts';
import { hooksBeforeExec } from './hooks.ts';
import { compileRlimits } from './limits.ts';
import { compilePrivileges } from './privileges.ts';
import { compileScheduling } from './scheduling.ts';
import { placeFilter } from './seccomp.ts';
import { compileProcessLabels } from './security-modules.ts';
import { speakThroughPipes } from './visible-clone.ts';
import { type Op, syncPoints } from './wire.ts';

function processOf({ config }: Draft): Process {
  return validated(config.process, '/process');
}

/** Made if it is missing, as engines expect. As root, since it may be open to root only. */
export function workingDirectory(draft: Draft): Op[] {
  return [{ op: 'workingDirectory', origin: '/process/cwd', path: processOf(draft).cwd, create: 1 }];
}

/** From the finished container to execve. */
export function compileProcess(draft: Draft): Op[] {
  const processSpec = processOf(draft);
  const args = validated(processSpec.args, '/process/args');
  const { env, path, hasHome } = compileEnvironment(processSpec.env ?? [], draft.options.extraEnv);
  const limits = compileRlimits(draft, processSpec);
  const ops: Op[] = [];
  // As root: /etc/passwd need not be readable for the user.
  if (!hasHome) {
    ops.push({
      op: 'home',
      origin: originOf(processSpec.env, '/process/env'),
      uid: processSpec.user?.uid ?? 0,
    });
  }
  const filter = placeFilter(draft);
  const hooks = hooksBeforeExec(draft, env);
  ops.push(
    // As root: raising a hard limit needs CAP_SYS_RESOURCE.
    ...limits.asRoot,
    ...compileProcessLabels(draft),
    ...speakThroughPipes(draft),
    ...(draft.options.gate === 'start' ? [{ op: 'listen', origin: '' } as const] : []),
    // Before others can see the process: an exec in a created container, or processes of a joined pid namespace.
    { op: 'closeHostDescriptors', origin: '' },
    ...compileScheduling(draft),
    ...compilePrivileges(draft, processSpec, filter.privileged),
    // As the user, so that a file only root may execute is found out now and not by `start`.
    { op: 'findExecutable', origin: '/process/args/0', name: validated(args[0], '/process/args'), path },
    ...filter.beforeStart,
    draft.options.gate === 'start'
      ? { op: 'waitStart', origin: '' }
      : { op: 'sync', origin: '', point: syncPoints.ready },
    // Hooks are programs of the container, so they run under its filter. Without any the filter comes last, and
    // need allow nothing of the init but execve.
    ...(hooks.length > 0
      ? [...filter.afterStart, ...hooks, ...limits.last]
      : [...limits.last, ...filter.afterStart]),
    { op: 'exec', origin: '/process/args', args, env, preserveFds: draft.options.preserveFds },
  );
  return ops;
}
