import { expect } from 'chai';
import { listenEnvironment } from './socket-activation.ts';

describe('the environment for socket activation', () => {
  it('is empty without descriptors', () => {
    expect(listenEnvironment({})).to.deep.equal([]);
    expect(listenEnvironment({ listenFds: 0, listenFdNames: 'a' })).to.deep.equal([]);
  });

  it('has the number of descriptors and pid 1, and names only if there are some', () => {
    expect(listenEnvironment({ listenFds: 2 })).to.deep.equal(['LISTEN_FDS=2', 'LISTEN_PID=1']);
    expect(listenEnvironment({ listenFds: 2, listenFdNames: 'a:b' })).to.deep.equal([
      'LISTEN_FDS=2',
      'LISTEN_PID=1',
      'LISTEN_FDNAMES=a:b',
    ]);
  });
});
