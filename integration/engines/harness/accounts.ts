import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { run } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';

/** A user without privileges, made for the tests: see `mountAccounts`. */
const user = { name: 'tsrun-tester', uid: 54_321 };

const runtimeFolder = `/run/user/${user.uid}`;
const folder = '/run/accounts';
const tun = '/run/tun';
const files = ['passwd', 'group', 'subuid', 'subgid'];

/**
 * Adds to the accounts of the machine, in this mount namespace only: a plain user with 65536 ids to give to
 * containers, and the ids that podman takes for `--userns auto`.
 */
export async function mountAccounts(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    const copy = join(folder, file);
    if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, copy);
    else writeFileSync(copy, '');
    const { name, uid } = user;
    const lines: Record<string, string> = {
      passwd: `${name}:x:${uid}:${uid}::/nonexistent:/bin/sh\n`,
      group: `${name}:x:${uid}:\n`,
    };
    appendFileSync(copy, lines[file] ?? `${name}:400000:65536\ncontainers:500000:65536\n`);
    succeeded(await run('mount', ['--bind', copy, `/etc/${file}`]));
  }
}

export async function unmountAccounts(): Promise<void> {
  for (const file of files) succeeded(await run('umount', [`/etc/${file}`]));
}

/** Before a command, runs it as the plain user. */
export const asPlainUser = [
  'setpriv',
  `--reuid=${user.uid}`,
  `--regid=${user.uid}`,
  '--clear-groups',
  '--inh-caps=-all',
] as const;

/**
 * Gives /dev/net/tun to everybody, as udev does: slirp4netns, the network of plain users, opens it.
 */
export async function mountTun(): Promise<void> {
  if (!existsSync(tun)) succeeded(await run('mknod', ['--mode', '0666', tun, 'c', '10', '200']));
  succeeded(await run('mount', ['--bind', tun, '/dev/net/tun']));
}

export async function unmountTun(): Promise<void> {
  succeeded(await run('umount', ['/dev/net/tun']));
}

/**
 * Logs the plain user in: makes a folder and all in it theirs, with a home, and makes their runtime folder.
 * It has its usual short name, as podman takes none above 50 characters.
 * @returns the environment of the login
 */
export function login(path: string): Record<string, string> {
  const home = join(path, 'home');
  mkdirSync('/run/user', { recursive: true });
  for (const made of [home, runtimeFolder]) mkdirSync(made, { mode: 0o700 });
  execFileSync('chown', ['-hR', `${user.uid}:${user.uid}`, path, runtimeFolder]);
  return { HOME: home, XDG_RUNTIME_DIR: runtimeFolder, USER: user.name };
}

export function logout(): void {
  rmSync(runtimeFolder, { recursive: true });
}
