import { closeSync } from 'node:fs';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { socketPair } from '../native/socket.ts';
import { messages } from '../plan/wire.ts';
import { Channel } from './channel.ts';
import { sendMessage } from './message-packet.ts';

describe('the channel of an init', () => {
  it('takes no messages without end', () => {
    const [ours, theirs] = socketPair();
    const channel = new Channel(ours, { mayUsePipes: false });
    const warning = { type: messages.warning, op: 0, errno: 0, value: 0, detail: 'x' };
    const flood = (): void => {
      for (let sent = 0; sent < 20_000; sent++) {
        sendMessage(theirs, warning);
        expect(channel.receive(0)).to.have.property('message');
      }
    };
    try {
      // Waiting is no message.
      for (let waits = 0; waits < 20_000; waits++) expect(channel.receive(0)).to.equal('nothing');
      expect(flood).to.throw(TsrunError, 'messages without end');
    } finally {
      channel.close();
      closeSync(theirs);
    }
  });
});
