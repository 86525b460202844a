import { expect } from 'chai';
import { failed, succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** User namespaces as root makes them. */
export function users(action: DeclareAction<Podman>): void {
  action('--uidmap and --gidmap', async (podman, id) => {
    const flags = ['--uidmap', '0:200000:2000', '--gidmap', '0:300000:2000'];
    const script =
      'cat /proc/self/uid_map /proc/self/gid_map; stat -c "%u %g" /bin/busybox; touch /tmp/x; echo x >/proc/sys/kernel/domainname';
    const result = await podman.run(id, ['sh', '-c', script], '--rm', ...flags);
    expect(result.stdout.replace(/ +/g, ' ')).to.equal(' 0 200000 2000\n 0 300000 2000\n0 0\n');
    expect(result.stderr).to.match(/domainname/);
  });

  action('exec and a terminal in a user namespace', async (podman, id) => {
    await podman.started(id, '--uidmap', '0:200000:2000');
    const { stdout } = succeeded(await podman.exec(id, ['id', '-u'], '--user', 'alice'));
    expect(stdout).to.equal('1000\n');
    const terminal = podman.onTerminal(['exec', '--interactive', '--tty', '--user', 'alice', id, 'sh']);
    terminal.child.stdin?.write('tty; stat -c %u $(tty); exit 7\n');
    expect(await terminal.ended).to.include({ status: 7 });
    expect(terminal.stdout()).to.match(/\/dev\/pts\/\d+\r\n1000\r\n/);
  });

  action('--userns auto', async (podman, id) => {
    const flags = ['--rm', '--userns', 'auto:size=1000'];
    const { stdout } = succeeded(await podman.run(id, ['cat', '/proc/self/uid_map'], ...flags));
    expect(stdout).to.match(/^ +0 +\d+ +1000\n$/);
  });

  action('a user that is not mapped', async (podman, id) => {
    failed(await podman.run(id, ['true'], '--uidmap', '0:200000:10', '--user', '1000'));
  });
}
