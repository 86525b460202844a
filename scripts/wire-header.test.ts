import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { messages, slots, wireMagic, wireOps } from '../lib/plan/wire.ts';
import { snakeCase } from './c-header.ts';
import { checkOps, wireHeader } from './wire-header.ts';

describe('wire.h', () => {
  const header = wireHeader();

  it('is what the tables of wire.ts say', () => {
    const file = new URL('../native-shim/include/wire.h', import.meta.url);
    expect(readFileSync(file, 'utf8'), 'run npm run build').to.equal(header);
  });

  it('has a code, a struct, a decoder and a row for every operation', () => {
    for (const [name, { code, in: stage }] of Object.entries(wireOps)) {
      const snake = snakeCase(name);
      const upper = snake.toUpperCase();
      expect(header).to.contain(`#define OP_${upper} ${String(code)}\n`);
      expect(header).to.contain(`X(${snake}, OP_${upper}, STAGE_${stage.toUpperCase()})`);
      expect(header).to.contain(`struct op_${snake} {`);
      expect(header).to.contain(`static inline bool decode_${snake}(`);
    }
  });

  it('reads the fields in the order of the table and wants the payload to end there', () => {
    expect(header).to.contain(
      [
        'static inline bool decode_user(struct reader *r, struct op_user *o)',
        '{',
        '    return read_u32(r, &o->uid)',
        '        && read_u32(r, &o->gid)',
        '        && read_u32s(r, &o->groups)',
        '        && read_u32(r, &o->umask)',
        '        && read_u32(r, &o->no_groups)',
        '        && r->at == r->end;',
        '}',
      ].join('\n'),
    );
  });

  it('has the numbers of slots and messages', () => {
    expect(header).to.contain(`#define WIRE_MAGIC ${String(wireMagic)}\n`);
    expect(header).to.contain(`#define SLOT_STATE_CREATING ${String(slots.stateCreating)}\n`);
    expect(header).to.contain(`#define MESSAGE_WAITING ${String(messages.waiting)}\n`);
    expect(header).to.contain('#define WIRE_NO_SLOT 0xffffffffu\n');
  });

  it('is not made from a table that C could not hold', () => {
    const op = { code: 1, in: 'a', fields: {} } as const;
    expect(() => {
      checkOps({ one: op, two: op });
    }).to.throw('operations one and two have the same code 1');
    expect(() => {
      checkOps({ one: { ...op, code: 65_536 } });
    }).to.throw('operation one: bad code');
    expect(() => {
      checkOps({ one: { ...op, fields: { 'x;': 'u32' } } });
    }).to.throw("operation one: bad name 'x;'");
    expect(() => {
      checkOps({ One: op });
    }).to.throw("bad name 'One'");
  });
});
