import { expect } from 'chai';
import {
  mountAttributes as attr,
  mountOptions,
  mountPropagation,
  parseMountOptions,
} from './mount-options.ts';

/** The options a runtime MUST or SHOULD know (config.md, "Linux mount options"). */
const specOptions =
  `async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime nodev nodiratime
  noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev
  rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid
  rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared
  silent slave strictatime suid symfollow sync tmpcopyup unbindable`.split(/\s+/);

describe('mountOptions', () => {
  it('has every option of the specification', () => {
    expect(specOptions.filter((option) => !mountOptions.has(option))).to.deep.equal([]);
  });
});

describe('parseMountOptions', () => {
  it('is neutral without options', () => {
    for (const options of [undefined, [], ['defaults']]) {
      expect(parseMountOptions(options)).to.deep.include({
        bind: 'none',
        superblock: [],
        data: [],
        propagation: [],
      });
    }
  });

  it('collects attributes, and says ro to the filesystem too', () => {
    const parsed = parseMountOptions(['nosuid', 'noexec', 'nodev', 'ro']);
    expect(parsed.attributes).to.deep.equal({
      set: attr.nosuid | attr.noexec | attr.nodev | attr.readonly,
      clear: 0,
    });
    expect(parsed.superblock).to.deep.equal(['ro']);
  });

  it('lets the later of two opposites win', () => {
    const parsed = parseMountOptions(['ro', 'nosuid', 'suid', 'rw', 'sync', 'async']);
    expect(parsed.attributes).to.deep.equal({ set: 0, clear: attr.readonly | attr.nosuid });
    expect(parsed.superblock).to.deep.equal(['rw', 'async']);
  });

  it('lets the later of two opposites win the other way round, too', () => {
    const parsed = parseMountOptions(['rw', 'ro', 'suid', 'nosuid', 'rexec', 'rnoexec']);
    expect(parsed.attributes).to.deep.equal({ set: attr.readonly | attr.nosuid, clear: 0 });
    expect(parsed.recursiveAttributes).to.deep.equal({ set: attr.noexec, clear: 0 });
    expect(parsed.superblock).to.deep.equal(['ro']);
  });

  it('clears the whole access time field when it sets a value in it', () => {
    expect(parseMountOptions(['noatime', 'strictatime']).attributes).to.deep.equal({
      set: attr.strictatime,
      clear: attr.atimeField,
    });
    expect(parseMountOptions(['noatime', 'atime']).attributes).to.deep.equal({
      set: 0,
      clear: attr.atimeField,
    });
    expect(parseMountOptions(['noatime', 'nostrictatime']).attributes.set).to.equal(attr.noatime);
    expect(parseMountOptions(['norelatime']).attributes).to.deep.equal({ set: 0, clear: 0 });
  });

  it('adds up bind and rbind, in any order', () => {
    for (const options of [
      ['rbind', 'bind'],
      ['bind', 'rbind'],
      ['bind', 'rbind', 'ro', 'bind'],
    ]) {
      expect(parseMountOptions(options).bind, options.join()).to.equal('rbind');
    }
    expect(parseMountOptions(['bind', 'bind']).bind).to.equal('bind');
  });

  it('keeps recursive attributes apart', () => {
    const parsed = parseMountOptions(['rbind', 'rro', 'nosuid', 'rexec']);
    expect(parsed).to.deep.include({
      bind: 'rbind',
      attributes: { set: attr.nosuid, clear: 0 },
      recursiveAttributes: { set: attr.readonly, clear: attr.noexec },
      superblock: [],
    });
  });

  it('keeps propagation in its order', () => {
    expect(parseMountOptions(['slave', 'rshared']).propagation).to.deep.equal([
      mountPropagation.slave,
      mountPropagation.shared | mountPropagation.recursive,
    ]);
  });

  it('passes what it does not know to the filesystem', () => {
    expect(parseMountOptions(['size=64k', '', 'mode=755', '__proto__']).data).to.deep.equal([
      'size=64k',
      'mode=755',
      '__proto__',
    ]);
  });

  it('reads idmap with and without mappings', () => {
    expect(parseMountOptions(['ridmap']))
      .to.include({ idmap: 'ridmap' })
      .and.not.to.have.property('idmapMappings');
    expect(parseMountOptions(['idmap=uids=0-1-10;gids=0-1-10'])).to.include({
      idmap: 'idmap',
      idmapMappings: 'uids=0-1-10;gids=0-1-10',
    });
  });

  it('reads the options of other runtimes', () => {
    expect(parseMountOptions(['copy-symlink', 'src-nofollow', 'ensure-directory', 'tmpcopyup'])).to.include({
      copySymlink: true,
      sourceNoFollow: true,
      destinationNoFollow: false,
      ensureDirectory: true,
      tmpcopyup: true,
    });
  });
});
