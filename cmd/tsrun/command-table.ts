import type { Command } from './command.ts';

interface Entry {
  /** One line for the overview. */
  summary: string;
  /** Loads the command; nothing of it is evaluated before. */
  load: () => Promise<{ command: Command }>;
  hidden?: boolean;
}

/** Every command of tsrun, in the order help shows them. */
export const commands: Readonly<Record<string, Entry>> = {
  create: {
    summary: 'create a container; its process waits for start',
    load: () => import('./commands/create.ts').then(erase),
  },
  start: {
    summary: 'run the process of a created container',
    load: () => import('./commands/start.ts').then(erase),
  },
  run: { summary: 'create and start a container', load: () => import('./commands/run.ts').then(erase) },
  exec: {
    summary: 'run one more process in a container',
    load: () => import('./commands/exec.ts').then(erase),
  },
  state: { summary: 'print the state of a container', load: () => import('./commands/state.ts').then(erase) },
  kill: { summary: 'send a signal to a container', load: () => import('./commands/kill.ts').then(erase) },
  pause: {
    summary: 'stop all processes of a container where they are',
    load: () => import('./commands/pause.ts').then(erase),
  },
  resume: { summary: 'let a paused container go on', load: () => import('./commands/resume.ts').then(erase) },
  update: {
    summary: 'change the limits of a container',
    load: () => import('./commands/update.ts').then(erase),
  },
  delete: {
    summary: 'delete a container and all it holds',
    load: () => import('./commands/delete.ts').then(erase),
  },
  list: { summary: 'list containers', load: () => import('./commands/list.ts').then(erase) },
  events: {
    summary: 'print what a container uses, and when it runs out of memory, as JSON',
    load: () => import('./commands/events.ts').then(erase),
  },
  stats: {
    summary: 'show what containers use',
    load: () => import('./commands/stats.ts').then(erase),
  },
  ps: { summary: 'list the processes of a container', load: () => import('./commands/ps.ts').then(erase) },
  checkpoint: {
    summary: 'save a running container to files, with criu',
    load: () => import('./commands/checkpoint.ts').then(erase),
  },
  restore: {
    summary: 'make a container of what checkpoint has saved',
    load: () => import('./commands/restore.ts').then(erase),
  },
  spec: {
    summary: 'write a config.json to start from',
    load: () => import('./commands/spec.ts').then(erase),
  },
  validate: {
    summary: 'say everything that is wrong or odd in a config',
    load: () => import('./commands/validate.ts').then(erase),
  },
  plan: {
    summary: 'print what create would do, step by step',
    load: () => import('./commands/plan.ts').then(erase),
  },
  features: {
    summary: 'print what tsrun can do, for engines',
    load: () => import('./commands/features.ts').then(erase),
  },
  completion: {
    summary: 'print a completion script for the shell',
    load: () => import('./commands/completion.ts').then(erase),
  },
};

/** A command's own flag types matter inside its file only; the table sees commands of any flags. */
function erase(module: { command: unknown }): { command: Command } {
  return module as { command: Command };
}
