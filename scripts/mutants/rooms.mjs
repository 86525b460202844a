// What is mutated, and which tests are asked.

/**
 * @typedef {object} TypeScriptRoom
 * @property {'typescript'} kind
 * @property {string[]} sources folders and files whose code is changed
 * @property {string[]} tests folders and files of the tests
 * @property {string[]} [without] parts of paths of files that are neither changed nor asked
 *
 * @typedef {object} CRoom
 * @property {'c'} kind
 * @property {string} folder below native-shim
 * @property {string} tests folder of the tests
 * @property {string[]} slow those that are asked last
 */

/** @type {Record<string, TypeScriptRoom | CRoom>} */
export const rooms = {
  plan: { kind: 'typescript', sources: ['lib/plan'], tests: ['lib/plan'] },
  config: {
    kind: 'typescript',
    sources: ['lib/config'],
    tests: ['lib/config'],
    // The second takes too long to be asked for every mutant.
    without: ['/rules/', 'hostile.test.ts'],
  },
  rules: {
    kind: 'typescript',
    sources: ['lib/config/rules'],
    tests: ['lib/config/rules', 'lib/config/validate.test.ts'],
  },
  seccomp: { kind: 'typescript', sources: ['lib/seccomp'], tests: ['lib/seccomp'] },
  cgroup: {
    kind: 'typescript',
    // What turns resources into writes; the managers need a real hierarchy.
    sources: [
      ...['v1/blkio', 'v1/cpu', 'v2/cpu', 'device-rules'],
      ...[
        'v2/device-table',
        'v1/devices',
        'v2/device-program',
        'v2/io',
        'v1/memory',
        'v2/memory',
        'cgroups-path',
      ],
      ...[
        'v1/resources',
        'v2/resources',
        'v2/property-files',
        'hugetlb',
        'pids',
        'rdma',
        'cgroup-write',
        'stats',
      ],
    ].map((name) => `lib/cgroup/${name}`),
    tests: [
      ...[
        'v1/devices',
        'v2/device-program',
        'cgroups-path',
        'v1/resources',
        'v2/resources',
        'cgroup-write',
      ].map((name) => `lib/cgroup/${name}.test.ts`),
      'lib/cgroup/stats',
    ],
  },
  cmd: {
    kind: 'typescript',
    // How a command line is read; what commands then do is seen with real containers.
    sources: [
      ...[
        'flags',
        'command-table',
        'command',
        'commands/completion',
        'completion',
        'help',
        'output',
        'context',
      ],
    ].map((name) => `cmd/tsrun/${name}`),
    tests: ['cmd/tsrun'],
  },
  init: { kind: 'c', folder: 'init', tests: 'native-shim/init', slow: ['path.test.ts'] },
  freestanding: { kind: 'c', folder: 'freestanding', tests: 'native-shim', slow: ['path.test.ts'] },
  lib: { kind: 'c', folder: 'lib', tests: 'lib/native', slow: ['foreground.test.ts'] },
  launcher: { kind: 'c', folder: 'launcher', tests: 'native-shim/launcher', slow: [] },
};
