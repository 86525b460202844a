import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import { openLog } from './logger.ts';

describe('logger', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-log-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs a script with a logger in a process of its own, where stderr and the loaded modules can be seen. */
  function run(script: string): { stdout: string; stderr: string } {
    const source = `
      import { openLog } from ${JSON.stringify(join(import.meta.dirname, 'logger.ts'))};
      const file = ${JSON.stringify(join(folder, 'log.json'))};
      ${script}`;
    const path = join(folder, 'script.mts');
    writeFileSync(path, source);
    const child = spawnSync(process.execPath, ['--import', 'tsx', path], { encoding: 'utf8' });
    expect(child.status, child.stderr).to.equal(0);
    return child;
  }

  it('writes one JSON object a line and nothing else', () => {
    const file = join(folder, 'log.json');
    const logger = openLog({ file, format: 'json' });
    logger.write('info', 'first');
    logger.write('warning', 'a "quoted"\nline\u2028');
    logger.write('debug', 'not this one');
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines).to.have.length(3);
    expect(lines[2]).to.equal('');
    expect(JSON.parse(lines[0] ?? '')).to.include({ level: 'info', msg: 'first' });
    const second = JSON.parse(lines[1] ?? '') as Record<string, string>;
    expect(Object.keys(second)).to.deep.equal(['level', 'msg', 'time']);
    expect(second['msg']).to.equal('a "quoted"\nline\u2028');
    expect(second['time']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('appends to a file that exists and makes a missing one with mode 0644', () => {
    const file = join(folder, 'new.log');
    const before = process.umask(0o022);
    try {
      openLog({ file, format: 'text' });
    } finally {
      process.umask(before);
    }
    expect(statSync(file).mode & 0o777).to.equal(0o644);
    writeFileSync(file, 'older\n');
    const logger = openLog({ file, format: 'text' });
    logger.write('info', 'newer');
    expect(readFileSync(file, 'utf8')).to.match(/^older\ntime="[^"]+" level=info msg="newer"\n$/);
  });

  it('writes records at once and in their order', () => {
    const file = join(folder, 'order.log');
    const logger = openLog({ file, format: 'text', debug: true });
    for (let i = 0; i < 20; i++) {
      logger.write('debug', `record ${String(i)}`);
      expect(readFileSync(file, 'utf8')).to.match(new RegExp(`record ${String(i)}"\n$`));
    }
    const numbers = readFileSync(file, 'utf8').match(/record \d+/g);
    expect(numbers).to.deep.equal(Array.from({ length: 20 }, (_, i) => `record ${String(i)}`));
  });

  it('says which log file cannot be written', () => {
    const file = join(folder, 'missing', 'log');
    expect(() => openLog({ file, format: 'text' }))
      .to.throw(TsrunError)
      .with.property('message')
      .that.includes(`${file}: no such file or directory`);
  });

  it('leaves stderr alone when there is a file', () => {
    const { stderr } = run(`
      const logger = openLog({ file, format: 'json' });
      logger.write('error', 'for the file');
      process.exit(0);`);
    expect(stderr).to.equal('');
    expect(readFileSync(join(folder, 'log.json'), 'utf8')).to.match(
      /^\{"level":"error","msg":"for the file","time":"[^"]+"\}\n$/,
    );
  });

  it('writes JSON on stderr when that is asked for', () => {
    const { stderr } = run(`
      openLog({ format: 'json' }).write('error', 'structured');
      process.exit(0);`);
    expect(JSON.parse(stderr)).to.include({ level: 'error', msg: 'structured' });
  });

  it('writes for people on stderr when there is no file', () => {
    const { stderr } = run(`
      const logger = openLog({ format: 'text' });
      logger.write('warning', 'odd \\u001b[31m');
      logger.write('error', 'bad');
      process.exit(0);`);
    expect(stderr).to.equal('tsrun: warning: odd \\u001b[31m\ntsrun: bad\n');
  });

  it('loads winston only for a record that must be written', () => {
    const { stdout } = run(`
      import { createRequire } from 'node:module';
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/winston/'));
      const logger = openLog({ file, format: 'json' });
      logger.write('debug', 'no');
      const before = loaded();
      logger.write('error', 'yes');
      console.log(JSON.stringify([before, loaded()]));`);
    expect(stdout.trim()).to.equal('[false,true]');
  });
});
