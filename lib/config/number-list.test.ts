import { expect } from 'chai';
import { isListWithin, isNumberList, numberList, numberMask, numbersOf } from './number-list.ts';

describe('lists of numbers', () => {
  it('are numbers and rising ranges', () => {
    for (const list of ['0', '0-3,7', ' 1 , 2-2', '999999999']) expect(isNumberList(list), list).to.be.true;
    for (const list of ['', ',', '1,', '3-1', '-1', '1-', 'a', '0x1', '1000000000', '0-3:1']) {
      expect(isNumberList(list), list).to.be.false;
    }
  });

  it('stand for numbers', () => {
    expect(numbersOf('0-2,5,7-8')).to.deep.equal([0, 1, 2, 5, 7, 8]);
    expect(numbersOf('4')).to.deep.equal([4]);
    for (const list of ['', '2-1', 'all']) expect(numbersOf(list)).to.equal(undefined);
  });

  it('are within another list, or left to the kernel', () => {
    for (const [list, available] of [
      ['0', '0-3'],
      ['1-2,3', '0-3,8'],
      ['8', '0-3,8-9'],
      ['all', '0-3'],
      ['0-3:1', '0'],
      ['0', 'all'],
    ] as const) {
      expect(isListWithin(list, available), `${list} in ${available}`).to.be.true;
    }
    for (const [list, available] of [
      ['4', '0-3'],
      ['0-3', '0-2'],
      ['3-8', '0-3,8'],
      ['0', ''],
      ['0', '\n'],
      ['0,9', '0-3'],
    ] as const) {
      expect(isListWithin(list, available), `${list} in ${available}`).to.be.false;
    }
  });

  it('become masks of whole words, and lists again', () => {
    for (const list of ['0', '0-3,7', '63', '64', '0-63', '5,127-128']) {
      const mask = numberMask(list, 1024);
      expect((mask?.length ?? -1) % 8, list).to.equal(0);
      expect(numberList(mask ?? new Uint8Array()), list).to.equal(list);
    }
    expect(numberMask(' ', 1024)).to.deep.equal(new Uint8Array());
    expect(numberList(new Uint8Array())).to.equal('');
  });

  it('have no number beyond the limit', () => {
    expect(numberMask('1023', 1024)).to.have.length(128);
    expect(numberMask('1024', 1024)).to.equal(undefined);
    expect(numberMask('0-999999999', 1024)).to.equal(undefined);
    expect(numberMask('x', 1024)).to.equal(undefined);
  });
});
