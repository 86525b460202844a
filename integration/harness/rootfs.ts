import { chmodSync, existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const busybox = '/bin/busybox';

const applets =
  'ash awk basename cat chmod chown cp cut date dd df dirname echo env expr false find grep head hostname id ifconfig ' +
  'ip kill ln ls mkdir mkfifo mknod mount mv nc nproc od pidof ping ps pwd readlink realpath rm rmdir sed sh sleep sort stat ' +
  'stty sync tail tee test touch tr true tty umount uname unshare wc whoami xargs';

/**
 * Makes a root filesystem from the machine's static busybox. The binary is linked, not copied: `store` holds
 * the one copy of this run, on the filesystem of the bundles.
 */
export function makeRootfs(rootfs: string, store: string): void {
  if (!existsSync(busybox)) throw new Error(`${busybox} is missing (Debian: busybox-static)`);
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr/bin', 'var']) {
    mkdirSync(join(rootfs, folder), { recursive: true });
  }
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  linkSync(join(store, 'busybox'), join(rootfs, 'bin/busybox'));
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/var:/bin/false\nalice:x:1000:1000::/home/alice:/bin/sh\n',
  );
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\ndaemon:x:1:\nalice:x:1000:\nstaff:x:50:alice\n');
}
