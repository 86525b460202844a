import { expect } from 'chai';
import { commonOptions, configFile, emptyNamespaces } from './criu-options.ts';

describe('the options of criu', () => {
  it('have the numbers of rpc.proto for the cgroup modes', () => {
    const modes = { '': 6, soft: 3, full: 4, strict: 5, ignore: 0 };
    for (const [name, mode] of Object.entries(modes)) {
      expect(commonOptions({ manageCgroupsMode: name }).manage_cgroups_mode, name).to.equal(mode);
    }
    expect(commonOptions({}).manage_cgroups_mode).to.equal(6);
    expect(() => commonOptions({ manageCgroupsMode: 'props' })).to.throw(
      /soft, full, strict and ignore, not "props"/,
    );
  });

  it('have the flags of the command', () => {
    const flags = { shellJob: true, tcpEstablished: true, extUnixSk: true, fileLocks: true };
    expect(commonOptions({ ...flags, autoDedup: true, lazyPages: true })).to.include({
      shell_job: true,
      tcp_established: true,
      ext_unix_sk: true,
      file_locks: true,
      auto_dedup: true,
      lazy_pages: true,
    });
  });

  it('leave only a network namespace empty', () => {
    expect(emptyNamespaces({})).to.equal(0);
    expect(emptyNamespaces({ emptyNs: ['network', 'network'] })).to.equal(0x40000000);
    expect(() => emptyNamespaces({ emptyNs: ['pid'] })).to.throw(/network namespace only, not "pid"/);
  });

  it('have the config file of the annotation, or none when that is empty', () => {
    expect(configFile({ 'org.criu.config': '/etc/x' })).to.deep.equal({ config_file: '/etc/x' });
    expect(configFile({ 'org.criu.config': '' })).to.deep.equal({});
  });
});
