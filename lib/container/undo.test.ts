import { expect } from 'chai';
import { Undo } from './undo.ts';

describe('Undo', () => {
  const trace = (): { undo: Undo; ran: string[]; step: (name: string) => () => void } => {
    const ran: string[] = [];
    return { undo: new Undo(), ran, step: (name) => () => void ran.push(name) };
  };

  it('takes everything back, the last step first', () => {
    const { undo, ran, step } = trace();
    undo.onFailure('a', step('a'));
    undo.always('b', step('b'));
    undo.onFailure('c', step('c'));
    expect(undo.fail()).to.deep.equal([]);
    expect(ran).to.deep.equal(['c', 'b', 'a']);
    undo.fail();
    expect(ran).to.have.length(3);
  });

  it('only puts away what was needed on the way when all is well', () => {
    const { undo, ran, step } = trace();
    undo.onFailure('a', step('a'));
    undo.always('b', step('b'));
    expect(undo.succeed()).to.deep.equal([]);
    expect(ran).to.deep.equal(['b']);
    undo.fail();
    expect(ran).to.deep.equal(['b']);
  });

  it('goes on behind a step that fails, and tells of it', () => {
    const { undo, ran, step } = trace();
    undo.onFailure('a', step('a'));
    undo.onFailure('remove b', () => {
      throw new Error('it is stuck');
    });
    expect(undo.fail()).to.deep.equal(['remove b: it is stuck']);
    expect(ran).to.deep.equal(['a']);
  });
});
