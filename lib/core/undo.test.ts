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

  it('leaves what is needed to repeat it, when a step that comes after has failed', () => {
    const { undo, ran, step } = trace();
    undo.onFailureIfUndone('remove the record', step('record'));
    undo.onFailure('remove b', () => {
      throw new Error('it is stuck');
    });
    undo.always('c', step('c'));
    expect(undo.fail()).to.deep.equal([{ reason: 'remove b: it is stuck' }]);
    expect(ran).to.deep.equal(['c']);

    const other = trace();
    other.undo.onFailureIfUndone('remove the record', other.step('record'));
    other.undo.onFailure('b', other.step('b'));
    expect(other.undo.fail()).to.deep.equal([]);
    expect(other.ran).to.deep.equal(['b', 'record']);

    const third = trace();
    third.undo.onFailureIfUndone('remove the record', third.step('record'));
    expect(third.undo.succeed()).to.deep.equal([]);
    expect(third.ran).to.deep.equal([]);
  });

  it('goes on behind a step that fails, and tells of it', () => {
    const { undo, ran, step } = trace();
    undo.onFailure('a', step('a'));
    undo.onFailure('remove b', () => {
      throw new Error('it is stuck');
    });
    expect(undo.fail()).to.deep.equal([{ reason: 'remove b: it is stuck' }]);
    expect(ran).to.deep.equal(['a']);
  });
});
