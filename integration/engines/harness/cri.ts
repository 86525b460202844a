import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../harness/hooks.ts';
import { run } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import { Daemon } from './daemon.ts';
import { ExecStream } from './exec-stream.ts';
import { type Message, Service } from './grpc.ts';
import { makeImage, sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

const pause = 'docker.io/library/tsrun-pause:1';

/** A pod that runs, and the config it was made from, which every container of it is given again. */
export interface Pod {
  id: string;
  config: Message;
}

/** What ContainerStatus says. */
export interface Status {
  state: string;
  exit_code: number;
  reason: string;
  message: string;
}

/** containerd as a kubelet uses it: through the container runtime interface. */
export class Cri implements Bed {
  readonly stage: Stage;
  readonly image: string;
  #daemon: Daemon;
  #service: Service;

  private constructor(stage: Stage, image: string, daemon: Daemon) {
    this.stage = stage;
    this.image = image;
    this.#daemon = daemon;
    this.#service = connect(stage);
  }

  static async open(stage: Stage): Promise<Cri> {
    const { folder } = stage;
    mkdirSync(join(folder, 'cni'));
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'cni/10-ptp.conflist'), JSON.stringify(network));
    writeFileSync(join(folder, 'config.toml'), configuration(stage));
    const cri = new Cri(stage, sharedImage(sharedFolder()).reference, await startContainerd(stage));
    const pauseArchive = join(folder, 'pause.tar');
    makeImage(pauseArchive, pause, { Cmd: ['tail', '-f', '/dev/null'] });
    for (const archive of [sharedImage(sharedFolder()).archive, pauseArchive]) {
      const client = ['--address', join(folder, 'sock'), '--namespace', 'k8s.io'];
      succeeded(await run('ctr', [...client, 'image', 'import', archive]));
    }
    await cri.#initialized();
    return cri;
  }

  daemons(): number[] {
    return [this.#daemon.pid];
  }

  get daemon(): Daemon {
    return this.#daemon;
  }

  /** Starts the daemon again after its end. */
  async restart(): Promise<void> {
    this.#service.close();
    this.#daemon = await startContainerd(this.stage);
    this.#service = connect(this.stage);
    await this.#initialized();
  }

  async call(method: string, request: Message = {}): Promise<Message> {
    return await this.#service.call(method, request);
  }

  /** RunPodSandbox with the runtime under test; `linux` and `more` go into its config. */
  async pod(name: string, linux: Message = {}, more: Message = {}): Promise<Pod> {
    const config = {
      metadata: { name, uid: name, namespace: 'default', attempt: 0 },
      hostname: name,
      log_directory: join(this.stage.folder, 'logs'),
      linux: { cgroup_parent: `/${this.stage.name}`, ...linux },
      ...more,
    };
    const { pod_sandbox_id: id } = await this.call('RunPodSandbox', {
      config,
      runtime_handler: 'under-test',
    });
    return { id: String(id), config };
  }

  /** CreateContainer: its id. `more` goes into its config. */
  async create(pod: Pod, name: string, command: readonly string[], more: Message = {}): Promise<string> {
    const config = {
      metadata: { name, attempt: 0 },
      image: { image: this.image },
      command,
      log_path: `${name}.log`,
      ...more,
    };
    const request = { pod_sandbox_id: pod.id, config, sandbox_config: pod.config };
    return String((await this.call('CreateContainer', request))['container_id']);
  }

  /** CreateContainer and StartContainer. */
  async start(pod: Pod, name: string, command: readonly string[], more: Message = {}): Promise<string> {
    const container_id = await this.create(pod, name, command, more);
    await this.call('StartContainer', { container_id });
    return container_id;
  }

  async status(container_id: string): Promise<Status> {
    return (await this.call('ContainerStatus', { container_id }))['status'] as Status;
  }

  /** Waits for the end of a container. */
  async ended(container_id: string): Promise<Status> {
    for (let tries = 0; tries < 1000; tries++) {
      const status = await this.status(container_id);
      if (status.state === 'CONTAINER_EXITED') return status;
    }
    throw new Error(`${container_id} has not ended`);
  }

  async execSync(
    container_id: string,
    cmd: readonly string[],
    timeout = 10,
  ): Promise<{ status: unknown; stdout: string; stderr: string }> {
    const answer = await this.call('ExecSync', { container_id, cmd, timeout });
    const text = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString() : '');
    return { status: answer['exit_code'], stdout: text(answer['stdout']), stderr: text(answer['stderr']) };
  }

  /** Exec with a terminal, over the streaming URL. */
  async exec(container_id: string, cmd: readonly string[]): Promise<ExecStream> {
    const { url } = await this.call('Exec', { container_id, cmd, tty: true, stdin: true, stdout: true });
    return await ExecStream.open(String(url));
  }

  /** What a container has written, in CRI's format of a log file. */
  log(name: string): string {
    return readFileSync(join(this.stage.folder, 'logs', `${name}.log`), 'utf8');
  }

  async reset(): Promise<void> {
    if (!this.#daemon.isRunning()) await this.restart();
    const { items } = await this.call('ListPodSandbox');
    for (const { id } of items as { id: string }[]) {
      await this.call('StopPodSandbox', { pod_sandbox_id: id });
      await this.call('RemovePodSandbox', { pod_sandbox_id: id });
    }
  }

  /** The socket is there before the service that is told of containers from before. */
  async #initialized(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const error = await this.call('ListPodSandbox').then(
        () => undefined,
        (reason: unknown) => String(reason),
      );
      if (error === undefined) return;
      if (!error.includes('not initialized')) throw new Error(error);
    }
    throw new Error(`containerd was never initialized: ${this.#daemon.logTail()}`);
  }

  async close(): Promise<void> {
    this.#service.close();
    await this.#daemon.stop();
  }
}

function connect(stage: Stage): Service {
  return new Service(join(stage.folder, 'sock'), 'cri.proto', 'runtime.v1.RuntimeService');
}

async function startContainerd(stage: Stage): Promise<Daemon> {
  return await Daemon.start('containerd', ['--config', join(stage.folder, 'config.toml')], {
    socket: join(stage.folder, 'sock'),
    log: join(stage.folder, 'containerd.log'),
    env: stage.env,
  });
}

// A root without CAP_SYS_RESOURCE cannot lower oom_score_adj, hence the restriction.
const configuration = ({ folder, runtime }: Stage): string => `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
  address = "${folder}/sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "under-test"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.under-test]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.under-test.options]
      BinaryName = "${runtime.path}"
      Root = "${folder}/runtime"
`;

const network = {
  cniVersion: '0.4.0',
  name: 'tsrun-cri',
  plugins: [
    {
      type: 'ptp',
      ipam: { type: 'host-local', subnet: '10.92.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
};
