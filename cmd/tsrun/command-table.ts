import type { CommandTable } from './command.ts';

/** The commands that users of other tools mean by these names. */
export const otherNames: ReadonlyMap<string, string> = new Map([
  ['inspect', 'state'],
  ['ls', 'list'],
  ['remove', 'delete'],
  ['rm', 'delete'],
  ['stop', 'kill'],
  ['unpause', 'resume'],
]);

/** Every command of tsrun, in the order of help. */
export const commands: CommandTable = {
  create: {
    summary: 'create a container; its process waits for start',
    load: () => import('./commands/create.ts'),
  },
  start: { summary: 'start the process of a created container', load: () => import('./commands/start.ts') },
  run: { summary: 'create and start a container', load: () => import('./commands/run.ts') },
  exec: { summary: 'run another process in a container', load: () => import('./commands/exec.ts') },
  state: { summary: 'print the state of a container as JSON', load: () => import('./commands/state.ts') },
  kill: { summary: 'send a signal to a container', load: () => import('./commands/kill.ts') },
  pause: { summary: 'suspend all processes of a container', load: () => import('./commands/pause.ts') },
  resume: { summary: 'resume a paused container', load: () => import('./commands/resume.ts') },
  update: {
    summary: 'change the resource limits of a container',
    load: () => import('./commands/update.ts'),
  },
  delete: { summary: 'delete a container and its resources', load: () => import('./commands/delete.ts') },
  list: { summary: 'list containers', load: () => import('./commands/list.ts') },
  events: {
    summary: 'print resource usage and out-of-memory events as JSON',
    load: () => import('./commands/events.ts'),
  },
  stats: { summary: 'show the resource usage of containers', load: () => import('./commands/stats.ts') },
  ps: { summary: 'list the processes of a container', load: () => import('./commands/ps.ts') },
  checkpoint: {
    summary: 'save a running container to image files (needs criu)',
    load: () => import('./commands/checkpoint.ts'),
  },
  restore: {
    summary: 'restore a container from a checkpoint (needs criu)',
    load: () => import('./commands/restore.ts'),
  },
  spec: { summary: 'write an example config.json', load: () => import('./commands/spec.ts') },
  validate: {
    summary: 'check a bundle and report every error and warning',
    load: () => import('./commands/validate.ts'),
  },
  plan: { summary: 'print the steps create would take', load: () => import('./commands/plan.ts') },
  features: { summary: 'print the features of tsrun as JSON', load: () => import('./commands/features.ts') },
  completion: { summary: 'print a shell completion script', load: () => import('./commands/completion.ts') },
};
