import { expect } from 'chai';
import { messages, type Op, syncPoints } from '../plan/wire.ts';
import { DueMessages } from './due-messages.ts';

const clone: Op = { op: 'clone', origin: '', flags: 0 };
const waitStart: Op = { op: 'waitStart', origin: '' };
const sync = (point: number): Op => ({ op: 'sync', origin: '', point });
const seccomp = (flags: number): Op => ({ op: 'seccomp', origin: '', flags, program: new Uint8Array() });
const newListener = 8;

describe('the messages that are due from the init of a plan', () => {
  const taker =
    (...ops: Op[]) =>
    (...sent: [type: number, value?: number][]): void => {
      const due = new DueMessages({ ops });
      for (const [type, value = 0] of sent) due.take({ type, value });
    };

  it('are those of its operations', () => {
    const take = taker(clone, sync(syncPoints.setup), seccomp(newListener), waitStart);
    take([messages.pid, 7], [messages.sync, syncPoints.setup], [messages.listener, 9], [messages.waiting]);
    expect(() => {
      take([messages.sync, syncPoints.hooks]);
    }).to.throw(`message of type ${messages.sync} out of turn`);
    expect(() => {
      taker(clone, seccomp(0))([messages.pid], [messages.listener]);
    }).to.throw('out of turn');
  });

  it('are taken once each', () => {
    const take = taker(clone, sync(syncPoints.setup));
    for (const repeated of [
      [messages.pid, 7],
      [messages.sync, syncPoints.setup],
    ] as const) {
      expect(() => {
        take([...repeated], [...repeated]);
      }).to.throw('out of turn');
    }
  });

  it('come from process B only when it exists', () => {
    const ops = [clone, sync(syncPoints.setup), sync(syncPoints.ready), waitStart, seccomp(newListener)];
    const take = taker(...ops);
    take([messages.sync, syncPoints.setup], [messages.pid]);
    for (const early of [
      [messages.sync, syncPoints.ready],
      [messages.waiting, 0],
      [messages.listener, 0],
    ] as const) {
      expect(() => {
        take([...early], [messages.pid]);
      }).to.throw('out of turn');
    }
  });

  it('include no error, warning or pipes: those may come at any time', () => {
    for (const type of [messages.error, messages.warning, messages.pipes, messages.go]) {
      expect(() => {
        taker(clone)([type]);
      }).to.throw('out of turn');
    }
  });
});
