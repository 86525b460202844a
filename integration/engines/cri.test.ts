import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { controllerMount } from '../harness/cgroups.ts';
import { namespaceOf } from '../harness/processes.ts';
import { Cri } from './harness/cri.ts';
import { sameCallsTest } from './harness/life.ts';
import { engineSuite } from './harness/suite.ts';

const forever = ['sleep', '1000'];
/** Ends with 7 when asked to, once it has said that it is ready. */
const polite = ['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done'];

engineSuite('containerd (CRI)', Cri.open.bind(Cri), (action) => {
  action('a pod with two containers, stopped and removed', async (cri, id) => {
    const pod = await cri.pod(id);
    const first = await cri.start(pod, `${id}a`, forever);
    const second = await cri.start(pod, `${id}b`, forever);
    expect((await cri.status(first)).state).to.equal('CONTAINER_RUNNING');
    await cri.call('StopContainer', { container_id: second, timeout: 0 });
    await cri.call('RemoveContainer', { container_id: second });
    await cri.call('StopPodSandbox', { pod_sandbox_id: pod.id });
    expect((await cri.status(first)).state).to.equal('CONTAINER_EXITED');
    await cri.call('RemovePodSandbox', { pod_sandbox_id: pod.id });
    expect((await cri.call('ListPodSandbox'))['items']).to.deep.equal([]);
  });

  action('logs and exit status', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, ['sh', '-c', 'echo out; echo err >&2; exit 42']);
    expect(await cri.ended(container)).to.include({ exit_code: 42, reason: 'Error' });
    expect(cri.log(id))
      .to.match(/ stdout F out\n/)
      .and.match(/ stderr F err\n/);
  });

  action('a command that is not there', async (cri, id) => {
    const container = await cri.create(await cri.pod(id), id, ['no-such-command']);
    const error = await cri.call('StartContainer', { container_id: container }).catch(String);
    expect(error).to.match(/no-such-command.*executable file not found/);
    expect(await cri.status(container)).to.include({ state: 'CONTAINER_EXITED', reason: 'StartError' });
  });

  action('exec, output and exit status', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, forever);
    const answer = await cri.execSync(container, ['sh', '-c', 'echo out; echo err >&2; exit 9']);
    expect(answer).to.deep.equal({ status: 9, stdout: 'out\n', stderr: 'err\n' });
  });

  action('exec that takes too long', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, forever);
    const error = await cri.execSync(container, ['sleep', '1001'], 1).catch(String);
    expect(error).to.match(/timeout|deadline/i);
    expect((await cri.execSync(container, ['true'])).status).to.equal(0);
  });

  action('exec on a terminal', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, forever);
    const shell = await cri.exec(container, ['sh']);
    shell.resize(101, 31);
    shell.write('until stty size | grep "31 101"; do sleep 0.01; done; tty\n');
    expect(await shell.printed('/dev/pts/')).to.include('31 101');
    shell.write('exit 6\n');
    const { status, details } = await shell.ended();
    expect(status).to.equal('Failure');
    expect(details?.causes?.[0]?.message).to.equal('6');
  });

  action('stats', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, ['sh', '-c', 'while :; do :; done']);
    const read = async (): Promise<{ cpu: number; memory: number }> => {
      const { stats } = (await cri.call('ContainerStats', { container_id: container })) as {
        stats: {
          cpu: { usage_core_nano_seconds: { value: number } };
          memory: { working_set_bytes: { value: number } };
        };
      };
      return { cpu: stats.cpu.usage_core_nano_seconds.value, memory: stats.memory.working_set_bytes.value };
    };
    const first = await read();
    expect(first.cpu).to.be.greaterThan(0);
    expect(first.memory).to.be.greaterThan(0);
    for (let tries = 0; (await read()).cpu <= first.cpu; tries++) expect(tries).to.be.lessThan(500);
  });

  action('update of limits', async (cri, id) => {
    const linux = { resources: { memory_limit_in_bytes: 64 << 20, cpu_shares: 256 } };
    const container = await cri.start(await cri.pod(id), id, forever, { linux });
    const update = {
      memory_limit_in_bytes: 128 << 20,
      cpu_shares: 512,
      cpu_quota: 50_000,
      cpu_period: 100_000,
    };
    await cri.call('UpdateContainerResources', { container_id: container, linux: update });
    const value = (controller: string, file: string): string =>
      readFileSync(join(controllerMount(controller) ?? '', cri.stage.name, container, file), 'utf8').trim();
    expect(value('memory', 'memory.limit_in_bytes')).to.equal(String(128 << 20));
    expect(value('cpu', 'cpu.shares')).to.equal('512');
    expect(value('cpu', 'cpu.cfs_quota_us')).to.equal('50000');
  });

  action('stop within the grace period', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, polite);
    while (!cri.log(id).includes('ready')) await cri.status(container);
    await cri.call('StopContainer', { container_id: container, timeout: 30 });
    expect(await cri.status(container)).to.include({ state: 'CONTAINER_EXITED', exit_code: 7 });
  });

  action('stop after the grace period', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, [
      'sh',
      '-c',
      'trap : TERM; sleep 1000; sleep 1000',
    ]);
    await cri.call('StopContainer', { container_id: container, timeout: 1 });
    expect(await cri.status(container)).to.include({ state: 'CONTAINER_EXITED', exit_code: 137 });
  });

  action('an OOM kill is reported', async (cri, id) => {
    const eater = ['sh', '-c', 'x=x; while :; do x=$x$x; done'];
    const linux = { resources: { memory_limit_in_bytes: 16 << 20 } };
    const container = await cri.start(await cri.pod(id), id, eater, { linux });
    expect(await cri.ended(container)).to.include({ exit_code: 137, reason: 'OOMKilled' });
  });

  action('the network of the pod (CNI)', async (cri, id) => {
    const pod = await cri.pod(id);
    const container = await cri.start(pod, id, forever);
    const { status } = (await cri.call('PodSandboxStatus', { pod_sandbox_id: pod.id })) as {
      status: { network: { ip: string } };
    };
    expect(status.network.ip).to.match(/^10\.92\.0\./);
    const { stdout } = await cri.execSync(container, ['ip', 'address', 'show', 'eth0']);
    expect(stdout).to.include(status.network.ip);
    expect((await cri.execSync(container, ['ping', '-c', '1', '10.92.0.1'])).status).to.equal(0);
    expect((await cri.execSync(container, ['hostname'])).stdout).to.equal(`${id}\n`);
  });

  action("a pod in the host's network", async (cri, id) => {
    const namespace_options = { network: 'NODE' };
    // Such a pod has the host's name.
    const pod = await cri.pod(id, { security_context: { namespace_options } }, { hostname: '' });
    const linux = { security_context: { namespace_options } };
    const container = await cri.start(pod, id, forever, { linux });
    const { stdout } = await cri.execSync(container, ['readlink', '/proc/self/ns/net']);
    expect(stdout.trim()).to.equal(namespaceOf('self', 'net'));
  });

  action('a pod with one pid namespace', async (cri, id) => {
    const namespace_options = { pid: 'POD' };
    const pod = await cri.pod(id, { security_context: { namespace_options } });
    const linux = { security_context: { namespace_options } };
    await cri.start(pod, `${id}a`, ['sleep', '1234'], { linux });
    const second = await cri.start(pod, `${id}b`, forever, { linux });
    expect((await cri.execSync(second, ['ps'])).stdout)
      .to.match(/sleep 1234/)
      .and.match(/ 1 .*tail -f/);
  });

  action("another container's pid namespace", async (cri, id) => {
    const own = { namespace_options: { pid: 'CONTAINER' } };
    const pod = await cri.pod(id, { security_context: own });
    const target_id = await cri.start(pod, `${id}a`, ['sleep', '1234'], { linux: { security_context: own } });
    const security_context = { namespace_options: { pid: 'TARGET', target_id } };
    const debug = await cri.start(pod, `${id}b`, forever, { linux: { security_context } });
    expect((await cri.execSync(debug, ['ps'])).stdout).to.match(/ 1 .*sleep 1234/);
  });

  action('the default seccomp profile', async (cri, id) => {
    const security_context = { seccomp: { profile_type: 'RuntimeDefault' } };
    const container = await cri.start(await cri.pod(id), id, forever, { linux: { security_context } });
    const script = 'grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null || echo refused';
    expect((await cri.execSync(container, ['sh', '-c', script])).stdout).to.equal('Seccomp:\t2\nrefused\n');
  });

  action('a user, no capabilities and a read-only root', async (cri, id) => {
    const security_context = {
      run_as_user: { value: 1000 },
      readonly_rootfs: true,
      no_new_privs: true,
      capabilities: { drop_capabilities: ['ALL'] },
    };
    const container = await cri.start(await cri.pod(id), id, forever, { linux: { security_context } });
    const script =
      'id -u; grep -E "CapBnd|NoNewPrivs" /proc/self/status; touch /tmp/x 2>/dev/null || echo read-only';
    const { stdout } = await cri.execSync(container, ['sh', '-c', script]);
    expect(stdout).to.equal('1000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nread-only\n');
  });

  action('volumes, an environment and sysctls', async (cri, id) => {
    const host_path = join(cri.stage.folder, id);
    mkdirSync(host_path);
    const pod = await cri.pod(id, { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' } });
    const container = await cri.start(pod, id, forever, {
      mounts: [
        { container_path: '/data', host_path },
        { container_path: '/data-ro', host_path, readonly: true },
      ],
      envs: [{ key: 'COLOUR', value: 'blue' }],
      working_dir: '/tmp',
    });
    const script =
      'echo there >/data/file; touch /data-ro/x 2>/dev/null || echo read-only; echo $COLOUR; pwd; ' +
      'cat /proc/sys/net/ipv4/ip_unprivileged_port_start';
    const { stdout } = await cri.execSync(container, ['sh', '-c', script]);
    expect(stdout).to.equal('read-only\nblue\n/tmp\n80\n');
    expect(readFileSync(join(host_path, 'file'), 'utf8')).to.equal('there\n');
  });

  action('a restart of containerd with a pod that runs', async (cri, id) => {
    const container = await cri.start(await cri.pod(id), id, polite);
    await cri.daemon.kill();
    await cri.restart();
    expect((await cri.status(container)).state).to.equal('CONTAINER_RUNNING');
    expect((await cri.execSync(container, ['echo', 'still there'])).stdout).to.equal('still there\n');
    await cri.call('StopContainer', { container_id: container, timeout: 30 });
    expect(await cri.status(container)).to.include({ state: 'CONTAINER_EXITED', exit_code: 7 });
  });
});

sameCallsTest('containerd (CRI)', Cri.open.bind(Cri), async (cri, id) => {
  const pod = await cri.pod(id);
  const container = await cri.start(pod, id, polite);
  await cri.execSync(container, ['sh', '-c', 'exit 3']);
  await cri.execSync(container, ['no-such-command']).catch(String);
  await cri.call('UpdateContainerResources', { container_id: container, linux: { cpu_shares: 512 } });
  while (!cri.log(id).includes('ready')) await cri.status(container);
  await cri.call('StopContainer', { container_id: container, timeout: 30 });
  await cri.call('RemoveContainer', { container_id: container });
  const broken = await cri.create(pod, `${id}b`, ['no-such-command']);
  await cri.call('StartContainer', { container_id: broken }).catch(String);
  await cri.call('StopPodSandbox', { pod_sandbox_id: pod.id });
  await cri.call('RemovePodSandbox', { pod_sandbox_id: pod.id });
});
