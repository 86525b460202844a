import { expect } from 'chai';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { acceptSocket, listenSocket } from './testing/libc.ts';
import { connectSocket, connectStream, receiveDescriptor, sendDescriptor, socketPair } from './socket.ts';
import { receiveMessage, sendMessage } from '../engine/message-packet.ts';
import { call } from './library.ts';
import { countDescriptors } from './testing/run.ts';

const message = { type: 3, op: 0xfffffffe, errno: -5, value: 0xffffffff, detail: 'ä path' };

function isCloexec(fd: number): boolean {
  const copy = openSync(`/proc/self/fdinfo/${String(fd)}`, 'r');
  const text = Buffer.alloc(1000);
  const length = readSync(copy, text);
  closeSync(copy);
  const flags = /flags:\s*([0-7]+)/.exec(text.toString('latin1', 0, length))?.[1] ?? '0';
  return (parseInt(flags, 8) & 0o2000000) !== 0;
}

describe('messages', () => {
  let pair: [number, number] = [-1, -1];
  let open = 0;
  beforeEach(() => {
    open = countDescriptors();
    pair = socketPair();
  });
  afterEach(() => {
    for (const fd of pair) if (fd >= 0) closeSync(fd);
    expect(countDescriptors(), 'descriptors left').to.equal(open);
  });
  const closeEnd = (end: 0 | 1): void => {
    closeSync(pair[end]);
    pair[end] = -1;
  };

  it('arrive as they were sent, one by one', () => {
    sendMessage(pair[0], message);
    sendMessage(pair[0], { type: 1, op: 0, errno: 0, value: 0, detail: '' });
    expect(receiveMessage(pair[1])).to.deep.equal({ message, fds: [] });
    expect(receiveMessage(pair[1], 0)?.message.type).to.equal(1);
  });

  it('bring descriptors, close-on-exec', () => {
    const files = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random'].map((path) => openSync(path, 'r'));
    sendMessage(pair[0], message, files);
    const { fds } = receiveMessage(pair[1]) ?? { fds: [] };
    expect(fds.map((fd) => fstatSync(fd).rdev)).to.deep.equal(files.map((fd) => fstatSync(fd).rdev));
    expect(fds.map(isCloexec)).to.deep.equal([true, true, true, true]);
    expect(() => {
      sendMessage(pair[0], message, [...files, 0]);
    }).to.throw(TsrunError, /EINVAL/);
    for (const fd of [...fds, ...files]) closeSync(fd);
  });

  it('time out after the time given', () => {
    const before = Date.now();
    expect(() => receiveMessage(pair[1], 50)).to.throw(TsrunError, /ETIMEDOUT/);
    expect(Date.now() - before).to.be.within(45, 5000);
  });

  it('end when the peer closes, also with an unread packet', () => {
    sendMessage(pair[0], message);
    sendMessage(pair[1], message);
    closeEnd(0);
    // What it said before counts; what it has not read is no error.
    expect(receiveMessage(pair[1])).to.deep.equal({ message, fds: [] });
    expect(receiveMessage(pair[1])).to.equal(undefined);
    expect(receiveMessage(pair[1], 0)).to.equal(undefined);
  });

  it('fail with EPIPE, without a signal, when the peer is gone', () => {
    closeEnd(1);
    expect(() => {
      sendMessage(pair[0], message);
    }).to.throw(TsrunError, /EPIPE/);
  });

  it('may have 4000 bytes of detail and no more', () => {
    const detail = 'x'.repeat(4000);
    sendMessage(pair[0], { ...message, detail });
    expect(receiveMessage(pair[1])?.message.detail).to.equal(detail);
    const file = openSync('/dev/null', 'r');
    sendMessage(pair[0], { ...message, detail: `${detail}x` }, [file]);
    expect(() => receiveMessage(pair[1])).to.throw(TsrunError, /EPROTO/);
    closeSync(file);
  });

  it('shorter than their header are refused, and their descriptors closed', () => {
    call('tsrun_send', pair[0], Buffer.alloc(15), 15, Int32Array.of(0), 1);
    expect(() => receiveMessage(pair[1])).to.throw(TsrunError, /EPROTO/);
  });

  it('carry one descriptor with a payload', () => {
    const file = openSync('/dev/full', 'r');
    sendDescriptor(pair[0], '/dev/pts/0', file);
    const { payload, fd } = receiveDescriptor(pair[1]);
    expect(payload).to.equal('/dev/pts/0');
    expect(fstatSync(fd).rdev).to.equal(fstatSync(file).rdev);
    sendMessage(pair[0], message);
    expect(() => receiveDescriptor(pair[1])).to.throw(TsrunError, /EPROTO/);
    sendMessage(pair[0], message, [file, file]);
    expect(() => receiveDescriptor(pair[1])).to.throw(TsrunError, /EPROTO/);
    for (const one of [fd, file]) closeSync(one);
  });
});

describe('sockets by name', () => {
  let base: string | undefined;
  let folder = '';
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'tsrun-socket-'));
    // Longer than a socket address.
    folder = join(base, 'd'.repeat(200), 'e'.repeat(200));
    mkdirSync(folder, { recursive: true });
  });
  after(() => {
    if (base !== undefined) rmSync(base, { recursive: true });
  });

  it('listen and connect below a path of any length, for their owner only', () => {
    const before = countDescriptors();
    const listener = listenSocket(folder, 'start.sock');
    expect(statSync(join(folder, 'start.sock')).mode & 0o777).to.equal(0o600);
    expect(acceptSocket(listener, 0)).to.equal(undefined);
    const client = connectSocket(folder, 'start.sock');
    expect(client).to.be.at.least(0);
    const server = acceptSocket(listener, 1000) ?? -1;
    expect([listener, client, server].map(isCloexec)).to.deep.equal([true, true, true]);
    sendMessage(client, message);
    expect(receiveMessage(server)).to.deep.equal({ message, fds: [] });
    for (const fd of [listener, client, server]) closeSync(fd);
    expect(countDescriptors()).to.equal(before);
    expect(connectSocket(folder, 'start.sock')).to.equal(-os.errno.ECONNREFUSED);
    expect(() => listenSocket(folder, 'start.sock')).to.throw(TsrunError, /EADDRINUSE/);
  });

  it('connect only to sockets, and not through links', () => {
    const before = countDescriptors();
    expect(connectSocket(folder, 'none')).to.equal(-os.errno.ENOENT);
    expect(connectSocket(join(folder, 'none'), 'none')).to.equal(-os.errno.ENOENT);
    writeFileSync(join(folder, 'file'), '');
    expect(connectSocket(folder, 'file')).to.equal(-os.errno.ENOTSOCK);
    const listener = listenSocket(folder, 'real');
    symlinkSync('real', join(folder, 'link'));
    expect(connectSocket(folder, 'link')).to.equal(-os.errno.ENOTSOCK);
    closeSync(listener);
    for (const name of ['', '.', '..', 'a/b', '/real']) {
      expect(connectSocket(folder, name), name).to.equal(-os.errno.EINVAL);
      expect(() => listenSocket(folder, name), name).to.throw(TsrunError, /EINVAL/);
    }
    expect(() => listenSocket(folder, 'n'.repeat(100))).to.throw(TsrunError, /ENAMETOOLONG/);
    expect(countDescriptors()).to.equal(before);
  });

  it('connect to a stream socket of any name', async () => {
    const name = 's'.repeat(250);
    // Node cannot listen on a long path either, but it can on a short one that is moved.
    const server = createServer();
    const path = join(folder, '../..', 's');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { renameSync } = await import('node:fs');
    renameSync(path, join(folder, name));
    const connected = new Promise<string>((resolve) => {
      server.once('connection', (socket) => {
        socket.once('data', (data: Buffer) => {
          resolve(data.toString());
          socket.destroy();
        });
      });
    });
    const fd = connectStream(join(folder, name));
    writeSync(fd, 'hello');
    expect(await connected).to.equal('hello');
    closeSync(fd);
    await new Promise((resolve) => server.close(resolve));
    expect(() => connectStream(join(folder, 'none'))).to.throw(
      TsrunError,
      /connect to .*none \(\d+ characters\): .*ENOENT/,
    );
  });
});
