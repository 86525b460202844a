import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { statusField } from '../../harness/processes.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** What a container may do. */
export function security(action: DeclareAction<Docker>): void {
  action('the default seccomp profile', async (docker) => {
    const script = 'grep Seccomp: /proc/self/status; unshare -U true || echo refused';
    expect(await docker.shell(script)).to.equal('Seccomp:\t2\nrefused');
    const flags = ['--security-opt', 'seccomp=unconfined'];
    expect(await docker.shell('grep Seccomp: /proc/self/status', ...flags)).to.equal('Seccomp:\t0');
  });

  action('capabilities', async (docker) => {
    const flags = ['--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE'];
    // Bit 10 alone (CAP_NET_BIND_SERVICE).
    expect(await docker.shell('grep Cap[PEB][rfn][mfd] /proc/self/status', ...flags)).to.equal(
      ['Prm', 'Eff', 'Bnd'].map((set) => `Cap${set}:\t0000000000000400`).join('\n'),
    );
  });

  action('no new privileges', async (docker) => {
    const seen = await docker.shell(
      'grep NoNewPrivs /proc/self/status',
      '--security-opt',
      'no-new-privileges',
    );
    expect(seen).to.equal('NoNewPrivs:\t1');
  });

  action('another user', async (docker) => {
    const flags = ['--user', 'alice', '--workdir', '/tmp', '--group-add', '1', '--group-add', 'staff'];
    expect(await docker.shell('id; pwd', ...flags)).to.equal(
      'uid=1000(alice) gid=1000(alice) groups=1(daemon),50(staff),1000(alice)\n/tmp',
    );
  });

  action(
    'a privileged container',
    async (docker) => {
      const script = 'grep CapEff /proc/self/status; mount -t tmpfs tmpfs /mnt && ls -d /dev/loop-control';
      const seen = await docker.shell(script, '--privileged');
      const ours = BigInt(`0x${statusField(process.pid, 'CapBnd')}`);
      // Docker 20.10 knows them up to bit 37 (CAP_AUDIT_READ).
      const known = ours & ((1n << 38n) - 1n);
      const effective = BigInt(`0x${/CapEff:\t(\w+)/.exec(seen)?.[1] ?? ''}`);
      expect(effective & known).to.equal(known);
      expect(seen).to.match(/\n\/dev\/loop-control$/);
    },
    { obstacle: (runtime) => (runtime === 'runc' ? missingCapabilities() : undefined) },
  );

  action('devices', async (docker) => {
    const script =
      'true < /dev/mine && echo readable; true 2>/dev/null > /dev/mine || echo refused; ls -l /dev/mine';
    const seen = await docker.shell(script, '--device', '/dev/loop-control:/dev/mine:r');
    expect(seen).to.match(/^readable\nrefused\nc/);
  });

  action('masked and read-only paths', async (docker) => {
    const script = 'stat -c %t:%T /proc/keys; echo 1 2>/dev/null > /proc/sysrq-trigger || echo refused';
    expect(await docker.shell(script)).to.equal('1:3\nrefused');
  });
}

/**
 * Docker asks for every capability the kernel knows. runc fails where the caller lacks one of them; the
 * specification wants a warning.
 */
function missingCapabilities(): string | undefined {
  const known = (1n << (BigInt(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')) + 1n)) - 1n;
  const ours = BigInt(`0x${statusField(process.pid, 'CapBnd')}`);
  return ours === known ? undefined : 'runc 1.1 fails where root lacks a capability: "unable to apply caps"';
}
