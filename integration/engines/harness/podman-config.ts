import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criuEnv } from '../../harness/criu.ts';
import { compileProgram } from '../../harness/programs.ts';
import type { Stage } from './suite.ts';

/**
 * Writes what podman and buildah are configured by, everything below the folder of the stage.
 * @returns the environment that makes them read it
 */
export function writePodmanConfig({ folder, runtime }: Stage, image: string): Record<string, string> {
  for (const name of ['hooks', 'networks']) mkdirSync(join(folder, name));
  const containers = join(folder, 'containers.conf');
  const storage = join(folder, 'storage.conf');
  const names = `["${runtime.name}"]`;
  // Containers have no network unless a test gives them one: to make one takes longer than the rest.
  // The limits are those of a root without CAP_SYS_RESOURCE, who cannot have the greater ones of podman.
  // The man page calls the last list runtime_supports_nocgroups; podman 4.3 reads the name without the s.
  writeFileSync(
    containers,
    `[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
init_path = "/usr/bin/tini-static"
log_driver = "k8s-file"
netns = "none"

[network]
network_backend = "netavark"
network_config_dir = "${folder}/networks"

[engine]
cgroup_manager = "cgroupfs"
conmon_env_vars = ["PATH=${criuEnv['PATH'] ?? ''}"]
events_logger = "file"
hooks_dir = ["${folder}/hooks"]
infra_command = "/bin/sleep 1000"
infra_image = "${image}"
runtime = "${runtime.name}"
runtime_supports_json = ${names}
runtime_supports_nocgroup = ${names}
tmp_dir = "${folder}/tmp"

[engine.runtimes]
${runtime.name} = ["${runtime.path}"]
`,
  );
  // Without the option at its end the folder is a mount from time to time, which looks like something left.
  writeFileSync(
    storage,
    `[storage]
driver = "overlay"
graphroot = "${folder}/graph"
runroot = "${folder}/run"

[storage.options.overlay]
skip_mount_home = "true"
`,
  );
  return { ...criuEnv, CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: storage };
}

/** The program that makes a terminal, compiled once in a folder that all tests share. */
export function ptyrun(shared: string): string {
  const folder = join(shared, 'programs');
  return existsSync(join(folder, 'ptyrun')) ? join(folder, 'ptyrun') : compileProgram('ptyrun', folder);
}
