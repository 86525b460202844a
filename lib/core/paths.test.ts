import { expect } from 'chai';
import { baseName, covers, fromBundle, tidyPath } from './paths.ts';

describe('paths', () => {
  it('tidyPath has one spelling for each path', () => {
    const cases = {
      '/': '/',
      '/a': '/a',
      '/a/b': '/a/b',
      '/a/': '/a',
      '//a///b//': '/a/b',
      '/a/./b/.': '/a/b',
      '/abc/def/': '/abc/def',
      '/abc/def': '/abc/def',
      '': '/',
      '/.': '/',
      './a': '/a',
      a: '/a',
      '/.hidden/..data': '/.hidden/..data',
      '/a/../b': '/a/../b',
      '/..': '/..',
      '/...': '/...',
    };
    for (const [path, tidy] of Object.entries(cases)) expect(tidyPath(path), path).to.equal(tidy);
  });

  it('tidyPath is quick with long paths', () => {
    const path = `${'/a'.repeat(100_000)}/`;
    const start = performance.now();
    expect(tidyPath(path)).to.have.length(200_000);
    expect(performance.now() - start).to.be.below(500);
  });

  it('covers compares whole names', () => {
    expect(covers('/', '/a')).to.be.true;
    expect(covers('/a', '/a')).to.be.true;
    expect(covers('/a', '/a/b')).to.be.true;
    expect(covers('/a', '/ab')).to.be.false;
    expect(covers('/a/b', '/a')).to.be.false;
  });

  it('baseName and fromBundle', () => {
    expect(baseName('/sys/fs/cgroup/cpu,cpuacct')).to.equal('cpu,cpuacct');
    expect(fromBundle('/b', 'x/y')).to.equal('/b/x/y');
    expect(fromBundle('/b', '/x')).to.equal('/x');
  });
});
