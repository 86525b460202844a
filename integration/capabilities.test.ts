import { expect } from 'chai';
import type { Capabilities } from '../lib/config/types.ts';
import { scenario } from './harness/scenario.ts';
import type { Edit, Scene } from './harness/scene.ts';

const numbers: Record<string, number> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_KILL: 5,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_AUDIT_WRITE: 29,
};

function mask(...names: string[]): string {
  const bits = names.reduce((sum, name) => sum | (1n << BigInt(numbers[name] ?? 63)), 0n);
  return bits.toString(16).padStart(16, '0');
}

/** The five sets of a container's process, by the letters of /proc/self/status. */
async function sets(scene: Scene, capabilities: Capabilities, edit?: Edit): Promise<Record<string, string>> {
  const output = await scene.shell('grep ^Cap /proc/self/status', (config) => {
    config.process.capabilities = capabilities;
    edit?.(config);
  });
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.slice(3).split(/:\s+/) as [string, string]),
  );
}

const none = '0000000000000000';

describe('capabilities', () => {
  scenario('the five capability sets are those of the config', async (scene) => {
    const found = await sets(
      scene,
      {
        bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_AUDIT_WRITE'],
        permitted: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
        inheritable: ['CAP_KILL', 'CAP_NET_RAW'],
        effective: ['CAP_CHOWN', 'CAP_KILL'],
        ambient: ['CAP_KILL'],
      },
      (config) => (config.process.user = { uid: 1000, gid: 1000 }),
    );
    // execve(2) of another user than root keeps what is ambient only; the bounding set stays.
    expect(found['Bnd']).to.equal(mask('CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_AUDIT_WRITE'));
    expect(found['Inh']).to.equal(mask('CAP_KILL', 'CAP_NET_RAW'));
    expect(found['Amb']).to.equal(mask('CAP_KILL'));
    expect(found['Prm']).to.equal(mask('CAP_KILL'));
    expect(found['Eff']).to.equal(mask('CAP_KILL'));
  });

  scenario('root has the capabilities of the bounding set', async (scene) => {
    const names = ['CAP_CHOWN', 'CAP_KILL'];
    const found = await sets(scene, { bounding: names, effective: names, permitted: names });
    expect(found).to.deep.equal({
      Inh: none,
      Prm: mask(...names),
      Eff: mask(...names),
      Bnd: mask(...names),
      Amb: none,
    });
  });

  scenario('empty sets leave no capabilities', async (scene) => {
    const found = await sets(scene, {
      bounding: [],
      effective: [],
      permitted: [],
      inheritable: [],
      ambient: [],
    });
    expect(new Set(Object.values(found))).to.deep.equal(new Set([none]));
  });

  scenario('without capabilities in the config the process has none', async (scene) => {
    const output = await scene.shell('grep ^CapEff /proc/self/status', (config) => {
      Reflect.deleteProperty(config.process, 'capabilities');
    });
    expect(output).to.equal(`CapEff:\t${none}\n`);
  });

  scenario('an unknown capability is a warning and the container runs', async (scene) => {
    scene.configure((config) => {
      config.process.args = ['echo', 'ran'];
      config.process.capabilities = { bounding: ['CAP_CHOWN', 'CAP_FLY'], effective: ['CAP_FLY'] };
    });
    const result = await scene.run();
    expect(result).to.include({ status: 0, stdout: 'ran\n' });
    expect(result.stderr).to.match(/CAP_FLY/);
  });

  scenario(
    'a capability that this machine cannot give is a warning and the container runs',
    async (scene) => {
      // The highest capability is not in the bounding set of a process that has dropped it.
      scene.configure((config) => {
        config.process.args = ['echo', 'ran'];
        const names = ['CAP_CHOWN', 'CAP_SYS_RESOURCE'];
        config.process.capabilities = { bounding: names, effective: names, permitted: names };
      });
      const { tsrun, cleanEnv } = await import('./harness/programs.ts');
      const { run } = await import('./harness/run.ts');
      const args = ['--bounding-set', '-sys_resource', tsrun, '--root', scene.root];
      const result = await run('setpriv', [...args, 'run', '--bundle', scene.bundle, scene.id()], {
        env: cleanEnv(),
      });
      expect(result).to.include({ status: 0, stdout: 'ran\n' });
    },
  );

  scenario('a system call without its capability is refused', async (scene) => {
    const output = await scene.shell('chown 1:1 /etc/passwd 2>&1; true', (config) => {
      config.process.capabilities = {
        bounding: ['CAP_KILL'],
        effective: ['CAP_KILL'],
        permitted: ['CAP_KILL'],
      };
    });
    expect(output).to.match(/Operation not permitted/);
  });
});
