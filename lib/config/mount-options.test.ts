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

describe('each option', () => {
  const neutral = parseMountOptions([]);
  const said = (option: string): object => {
    const parsed = parseMountOptions([option]);
    return Object.fromEntries(
      Object.entries(parsed).filter(
        ([key, value]) => JSON.stringify(value) !== JSON.stringify(neutral[key as keyof typeof neutral]),
      ),
    );
  };
  const pairs: [on: string, off: string, bit: number][] = [
    ['ro', 'rw', attr.readonly],
    ['nosuid', 'suid', attr.nosuid],
    ['nodev', 'dev', attr.nodev],
    ['noexec', 'exec', attr.noexec],
    ['nodiratime', 'diratime', attr.nodiratime],
    ['nosymfollow', 'symfollow', attr.nosymfollow],
  ];

  it('of an attribute sets or clears it, with r for all below', () => {
    for (const [on, off, bit] of pairs) {
      const superblock = (word: string): object =>
        word === 'ro' || word === 'rw' ? { superblock: [word] } : {};
      expect(said(on), on).to.deep.equal({ attributes: { set: bit, clear: 0 }, ...superblock(on) });
      expect(said(off), off).to.deep.equal({ attributes: { set: 0, clear: bit }, ...superblock(off) });
      expect(said(`r${on}`), on).to.deep.equal({ recursiveAttributes: { set: bit, clear: 0 } });
      expect(said(`r${off}`), off).to.deep.equal({ recursiveAttributes: { set: 0, clear: bit } });
    }
  });

  it('of access times sets the whole field', () => {
    const times: [string, number][] = [
      ['relatime', 0],
      ['noatime', attr.noatime],
      ['strictatime', attr.strictatime],
      ['atime', 0],
      ['nostrictatime', 0],
    ];
    for (const [option, set] of times) {
      expect(said(option), option).to.deep.equal({ attributes: { set, clear: attr.atimeField } });
      expect(said(`r${option}`), option).to.deep.equal({
        recursiveAttributes: { set, clear: attr.atimeField },
      });
    }
    const after = (...options: string[]): number => parseMountOptions(options).attributes.set;
    // One that undoes another leaves a third alone.
    expect(after('strictatime', 'atime')).to.equal(attr.strictatime);
    expect(after('strictatime', 'nostrictatime')).to.equal(0);
    expect(after('noatime', 'nostrictatime')).to.equal(attr.noatime);
    expect(after('relatime', 'atime')).to.equal(0);
    expect(after('noatime', 'relatime')).to.equal(0);
    expect(after('noatime', 'strictatime')).to.equal(attr.strictatime);
  });

  it('of a filesystem is a flag that undoes its opposite', () => {
    for (const option of ['sync', 'async', 'dirsync', 'lazytime', 'nolazytime', 'mand', 'nomand']) {
      expect(said(option), option).to.deep.equal({ superblock: [option] });
    }
    for (const option of ['sync', 'async', 'dirsync', 'mand', 'nomand']) {
      expect(said(`r${option}`), option).to.deep.equal({ superblock: [option] });
    }
    for (const [first, second] of [
      ['sync', 'async'],
      ['lazytime', 'nolazytime'],
      ['mand', 'nomand'],
      ['ro', 'rw'],
    ] as const) {
      for (const pair of [
        [first, second],
        [second, first],
      ]) {
        expect(parseMountOptions(['dirsync', ...pair]).superblock).to.deep.equal(['dirsync', pair[1]]);
      }
    }
    expect(parseMountOptions(['sync', 'dirsync', 'sync']).superblock).to.deep.equal(['dirsync', 'sync']);
  });

  it('of propagation is its flag, with r recursive', () => {
    for (const name of ['shared', 'slave', 'private', 'unbindable'] as const) {
      const flag = mountPropagation[name];
      expect(said(name)).to.deep.equal({ propagation: [flag] });
      expect(said(`r${name}`)).to.deep.equal({ propagation: [flag | mountPropagation.recursive] });
    }
  });

  it('of another kind says just one thing', () => {
    const others: Record<string, object> = {
      bind: { bind: 'bind' },
      rbind: { bind: 'rbind' },
      remount: { remount: true },
      idmap: { idmap: 'idmap' },
      ridmap: { idmap: 'ridmap' },
      'idmap=': { idmap: 'idmap', idmapMappings: '' },
      'ridmap=a\nb': { idmap: 'ridmap', idmapMappings: 'a\nb' },
      xidmap: { data: ['xidmap'] },
      'xidmap=a': { data: ['xidmap=a'] },
      tmpcopyup: { tmpcopyup: true },
      'copy-symlink': { copySymlink: true },
      'src-nofollow': { sourceNoFollow: true },
      'dest-nofollow': { destinationNoFollow: true },
      'ensure-directory': { ensureDirectory: true },
      '': {},
    };
    for (const [option, says] of Object.entries(others)) expect(said(option), option).to.deep.equal(says);
    for (const option of `defaults norelatime rnorelatime silent loud iversion noiversion acl noacl`.split(
      ' ',
    )) {
      expect(said(option), option).to.deep.equal({});
    }
  });

  it('is one of these', () => {
    // 17 attributes and their r forms, 7 and 5 of filesystems, 8 of propagation, the rest one by one.
    expect(mountOptions.size).to.equal(34 + 12 + 8 + 10 + 9);
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
