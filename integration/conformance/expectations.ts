/**
 * What tsrun makes of each test of the suite, with the reason for everything but a pass. Whoever changes a line
 * here says in the reason why the runtime is right and the test is not, or what the machine lacks.
 */
import type { Expectation } from './compare.ts';
import type { Facts } from './facts.ts';

/** Tests that a correct runtime passes on any machine with cgroup v1. */
const passing = [
  'config_updates_without_affect',
  'create',
  'default',
  'delete_only_create_resources',
  'hooks_stdin',
  'hostname',
  'kill',
  'kill_no_effect',
  'linux_cgroups_cpus',
  'linux_cgroups_devices',
  'linux_cgroups_relative_devices',
  'linux_devices',
  'linux_masked_paths',
  'linux_mount_label',
  'linux_ns_itype',
  'linux_ns_nopath',
  'linux_ns_path',
  'linux_ns_path_type',
  'linux_readonly_paths',
  'linux_rootfs_propagation',
  'linux_seccomp',
  'linux_sysctl',
  'linux_uid_mappings',
  'mounts',
  'process',
  'process_oom_score_adj',
  'process_user',
  'root_readonly_true',
  'state',
];

/** Tests that read the files of cgroup v1, and those the suite does not understand on any other machine. */
const cgroupTests = /^(linux_cgroups_.*|delete_resources|delete_only_create_resources)$/;

const pass: Expectation = { verdict: 'pass', complaints: [] };

export function expectations(facts: Facts): Map<string, Expectation> {
  const all = new Map<string, Expectation>(passing.map((name) => [name, pass]));
  for (const part of [cgroups(facts), processes(facts), lifecycle(), hooks()]) {
    for (const [name, expectation] of Object.entries(part)) all.set(name, expectation);
  }
  if (!facts.cgroupV1) {
    for (const name of all.keys()) if (cgroupTests.test(name)) all.set(name, onlyV1);
  }
  return all;
}

const onlyV1: Expectation = { verdict: 'fail', reason: 'the suite reads cgroup v1 only, this host has v2' };

function fails(reason: string, ...complaints: string[]): Expectation {
  return { verdict: 'fail', complaints, reason };
}

/** No assertion comes out of the test, only its complaints show something. */
function weak(reason: string, ...complaints: string[]): Expectation {
  return { verdict: 'weak', complaints, reason };
}

const noAssertions = 'the suite asserts nothing when all is well, and complains in words';

function cgroups(facts: Facts): Record<string, Expectation> {
  const blkio = facts.leafWeight
    ? pass
    : fails('Linux 5.0 removed blkio.leaf_weight', 'exit status 1', 'blockIO/leafWeight');
  const memory = facts.kernelMemory
    ? pass
    : fails('this kernel ignores memory.kmem.limit_in_bytes', 'memory kernel is set correctly');
  const hugetlb = facts.hugetlb
    ? pass
    : fails('no hugetlb cgroups here', 'exit status 1', 'cannot set hugetlb limit');
  const network = facts.networkCgroups
    ? pass
    : fails('no net_cls and net_prio here', 'exit status 1', 'cannot set net_cls limit');
  const pids = fails('the suite compares pointers, not the limits', 'pids limit is set correctly');
  return {
    delete_resources: pids,
    linux_cgroups_blkio: blkio,
    linux_cgroups_hugetlb: hugetlb,
    linux_cgroups_memory: memory,
    linux_cgroups_network: network,
    linux_cgroups_pids: pids,
    linux_cgroups_relative_blkio: blkio,
    linux_cgroups_relative_cpus:
      facts.cpus > 1 ? pass : { verdict: 'fail', reason: 'the suite asks for CPUs 0-1, there is one' },
    linux_cgroups_relative_hugetlb: hugetlb,
    linux_cgroups_relative_memory: memory,
    linux_cgroups_relative_network: network,
    linux_cgroups_relative_pids: pids,
  };
}

function processes(facts: Facts): Record<string, Expectation> {
  const sets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'];
  return {
    linux_process_apparmor_profile: facts.appArmorProfile
      ? pass
      : fails(
          'the suite asks for an AppArmor profile that is not loaded, and does not load it',
          'exit status 1',
          '/process/apparmorProfile',
        ),
    process_capabilities:
      facts.missingCapabilities.length === 0
        ? pass
        : fails(
            `we lack ${facts.missingCapabilities.join(', ')}, and so has the container`,
            ...facts.missingCapabilities.flatMap((name) =>
              sets.map((set) => `expected ${set} capability ${name} set`),
            ),
          ),
    process_capabilities_fail: fails(
      'outdated: since runtime-spec 1.1 an unknown capability is a warning (config.md, "Linux Process")',
      'exit status 1',
      'MUST cause an error',
    ),
    process_rlimits: fails(
      'the Go runtime of runtimetest raises its own soft RLIMIT_NOFILE before it looks',
      'has expected soft RLIMIT_NOFILE',
    ),
    process_rlimits_fail: weak(
      'the suite asserts nothing; create fails, as it must',
      '/process/rlimits/1/type "RLIMIT_TEST": no such resource limit',
    ),
  };
}

function lifecycle(): Record<string, Expectation> {
  return {
    delete: fails(
      'a container that is created, not started, can be deleted as with runc: engines rely on it',
      'MUST generate an error',
      'MUST have no effect on the container',
    ),
    killsig: {
      ...pass,
      race: 'the suite sends the signal without waiting for the shell to have set its trap',
    },
    misc_props: fails(
      'the suite starts /runtimetest and forgets to put it into the bundle',
      'MUST NOT generate an error if they encounter an unknown annotation key',
      'exec: "/runtimetest": no such file or directory',
      '/ociVersion "invalid": must be a version',
    ),
    pidfile: {
      ...fails(
        'a race the suite nearly always loses: it kills the program `true` and wants it to be running still',
        'container not running',
      ),
      mayPass: true,
    },
    start: fails(
      'without process create already fails, as with runc; the suite wants even start to succeed',
      'exit status 1',
    ),
  };
}

function hooks(): Record<string, Expectation> {
  return {
    hooks: weak(
      'the suite compares with a text its own hooks cannot write (“post-start1” without “called”)',
      'Hooks MUST be called in the listed order',
    ),
    poststart: {
      ...weak(noAssertions),
      race: 'the shells of the hook and of the process write to one file, and the process started just before',
    },
    poststart_fail: weak(
      'outdated: since runtime-spec 1.3 a poststart hook that fails destroys the container (runtime.md, "Lifecycle")',
      'if any poststart hook fails, the runtime MUST log a warning',
      '/hooks/poststart/0: error running poststart hook',
    ),
    poststop: weak(noAssertions),
    poststop_fail: weak(noAssertions),
    prestart: weak(
      'outdated: prestart hooks run during create (runtime.md, "Lifecycle", step 3)',
      'Pre-start hooks MUST be called after the `start` operation is called',
    ),
    prestart_fail: weak(noAssertions, '/hooks/prestart/0: error running prestart hook'),
  };
}
