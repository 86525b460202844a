import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { scenario } from './harness/scenario.ts';

describe('maskedPaths and readonlyPaths', () => {
  scenario('a masked file is empty, a masked folder too', async (scene) => {
    mkdirSync(join(scene.rootfs, 'secret'));
    writeFileSync(join(scene.rootfs, 'secret/key'), 'key');
    writeFileSync(join(scene.rootfs, 'password'), 'password');
    const script =
      'cat /password; ls -A /secret; touch /secret/new; echo x > /password; cat /password; cat /proc/kcore';
    const output = await scene.shell(`(${script}) 2>&1; true`, (config) => {
      config.linux.maskedPaths.push('/secret', '/password');
    });
    expect(output)
      .to.match(/^touch: \/secret\/new: Read-only file system\n/)
      .and.not.match(/key|password\n/);
  });

  scenario('a masked path that is missing is no error', async (scene) => {
    await scene.shell('true', (config) => config.linux.maskedPaths.push('/not/there', '/proc/not/there'));
  });

  scenario('a read-only path cannot be written, with what is below it', async (scene) => {
    mkdirSync(join(scene.rootfs, 'data/sub'), { recursive: true });
    writeFileSync(join(scene.rootfs, 'data/file'), 'content\n');
    const script = 'cat /data/file; touch /data/file /data/sub/new; echo 1 > /proc/sys/kernel/ostype';
    const output = await scene.shell(`(${script}) 2>&1; touch /elsewhere`, (config) => {
      config.linux.readonlyPaths.push('/data');
    });
    expect(output).to.match(/^content\n/);
    expect(output.match(/Read-only file system/g)).to.have.length(3);
  });

  scenario('a read-only path keeps the other flags of its mount', async (scene) => {
    const output = await scene.shell('grep " /t/in " /proc/self/mountinfo', (config) => {
      config.mounts.push({
        destination: '/t',
        type: 'tmpfs',
        source: 't',
        options: ['nosuid', 'nodev', 'noexec'],
      });
      config.mounts.push({
        destination: '/t/in',
        type: 'tmpfs',
        source: 't',
        options: ['nosuid', 'nodev', 'noexec'],
      });
      config.linux.readonlyPaths.push('/t/in');
    });
    expect(output.trim().split('\n').at(-1)).to.match(/ ro,nosuid,nodev,noexec/);
  });

  scenario('a read-only path that is missing is no error', async (scene) => {
    await scene.shell('true', (config) => config.linux.readonlyPaths.push('/not/there'));
  });

  scenario('relative paths are errors with a pointer', async (scene) => {
    const masked = await scene.failure((config) => config.linux.maskedPaths.push('relative'));
    expect(masked.stderr).to.match(/maskedPaths/);
    const readonly = await scene.failure((config) => config.linux.readonlyPaths.push('relative'));
    expect(readonly.stderr).to.match(/readonlyPaths/);
  });

  scenario('a symbolic link of the image is not a way out', async (scene) => {
    // The same path on the host and in the image: what is masked, and what is not?
    const outside = scene.path('outside');
    const inside = join(scene.rootfs, outside);
    mkdirSync(dirname(inside), { recursive: true });
    for (const file of [outside, inside]) writeFileSync(file, 'content\n');
    symlinkSync(outside, join(scene.rootfs, 'link'));
    symlinkSync(`../../../../../..${outside}`, join(scene.rootfs, 'climbing'));
    const script = `cat ${outside}; cat /link; (echo x >${outside}) 2>&1; cat /seen/outside`;
    for (const [property, link, expected] of [
      ['maskedPaths', '/link', /^content\n$/],
      ['maskedPaths', '/climbing', /^content\n$/],
      ['readonlyPaths', '/link', /^content\ncontent\nsh: can't create .*: Read-only file system\ncontent\n$/],
    ] as const) {
      const output = await scene.shell(script, (config) => {
        config.linux[property].push(link);
        config.mounts.push({ destination: '/seen', type: 'bind', source: scene.folder, options: ['bind'] });
      });
      expect(output, `${property} ${link}`).to.match(expected);
    }
    expect(readFileSync(outside, 'utf8')).to.equal('content\n');
  });
});
