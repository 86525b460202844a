import { expect } from 'chai';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { Side } from './side.ts';

const pointer = '/linux/netDevices/eth0';

describe('a network namespace, asked by netlink', () => {
  let namespace = -1;
  let side: Side;

  before(() => {
    namespace = openSync('/proc/self/ns/net', 'r');
    side = new Side(namespace);
  });

  after(() => {
    side.close();
    closeSync(namespace);
  });

  it('knows its devices by name and number, and their addresses', () => {
    const loopback = side.find('lo', pointer);
    expect(loopback).to.include({ index: 1, name: 'lo' });
    expect(side.byIndex(1, pointer)).to.deep.equal(loopback);
    expect(side.addresses(1, pointer).every(({ index }) => index === 1)).to.equal(true);
    expect(side.find('tsrun-none', pointer)).to.equal(undefined);
  });

  it('says what cannot be done, and of which property', () => {
    expect(() => side.byIndex(0x7fffffff, pointer))
      .to.throw(TsrunError, 'no such device (ENODEV)')
      .with.property('pointer', pointer);
  });

  it('is visited without anybody going there', () => {
    const before = readlinkSync('/proc/self/ns/net');
    new Side(namespace).close();
    expect(readlinkSync('/proc/self/ns/net')).to.equal(before);
    expect(readlinkSync('/proc/thread-self/ns/net')).to.equal(before);
  });

  it('cannot be anything else', () => {
    const other = openSync('/proc/self/ns/uts', 'r');
    expect(() => new Side(other)).to.throw(TsrunError, 'EINVAL');
    closeSync(other);
  });
});
