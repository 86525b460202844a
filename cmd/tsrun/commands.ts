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
    load: () => import('./create.ts').then(erase),
  },
  start: { summary: 'run the process of a created container', load: () => import('./start.ts').then(erase) },
  run: { summary: 'create and start a container', load: () => import('./run.ts').then(erase) },
  exec: { summary: 'run one more process in a container', load: () => import('./exec.ts').then(erase) },
  state: { summary: 'print the state of a container', load: () => import('./state.ts').then(erase) },
  kill: { summary: 'send a signal to a container', load: () => import('./kill.ts').then(erase) },
  pause: {
    summary: 'stop all processes of a container where they are',
    load: () => import('./pause.ts').then(erase),
  },
  resume: { summary: 'let a paused container go on', load: () => import('./resume.ts').then(erase) },
  update: {
    summary: 'change the limits of a container',
    load: () => import('./update.ts').then(erase),
  },
  delete: { summary: 'delete a container and all it holds', load: () => import('./delete.ts').then(erase) },
  list: { summary: 'list containers', load: () => import('./list.ts').then(erase) },
  events: {
    summary: 'print what a container uses, and when it runs out of memory, as JSON',
    load: () => import('./events.ts').then(erase),
  },
  stats: {
    summary: 'show what containers use',
    load: () => import('./stats.ts').then(erase),
  },
  ps: { summary: 'list the processes of a container', load: () => import('./ps.ts').then(erase) },
  checkpoint: {
    summary: 'save a running container to files, with criu',
    load: () => import('./checkpoint.ts').then(erase),
  },
  restore: {
    summary: 'make a container of what checkpoint has saved',
    load: () => import('./restore.ts').then(erase),
  },
  spec: { summary: 'write a config.json to start from', load: () => import('./spec.ts').then(erase) },
  validate: {
    summary: 'say everything that is wrong or odd in a config',
    load: () => import('./validate.ts').then(erase),
  },
  plan: { summary: 'print what create would do, step by step', load: () => import('./plan.ts').then(erase) },
  features: {
    summary: 'print what tsrun can do, for engines',
    load: () => import('./features.ts').then(erase),
  },
  completion: {
    summary: 'print a completion script for the shell',
    load: () => import('./completion.ts').then(erase),
  },
};

/** A command's own flag types matter inside its file only; the table sees commands of any flags. */
function erase(module: { command: unknown }): { command: Command } {
  return module as { command: Command };
}
