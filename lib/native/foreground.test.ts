import { expect } from 'chai';
import { spawnSync, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { ForegroundSession, TerminalSession } from './testing/foreground-session.ts';
import { getSize, isCooked, setSize } from './testing/pty.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Prints `got NAME` for each signal of `names` it gets, until SIGTERM. */
function catcher(names: readonly string[]): string {
  const traps = names.map((name) => `trap 'echo got ${name}.' ${name}`).join('; ');
  return `${traps}; trap 'echo got TERM.; exit 5' TERM; echo ready; while :; do sleep 0.02; done`;
}

describe('foreground without a terminal', () => {
  const sessions: ForegroundSession[] = [];
  const run = (script: string, mode: 'plain' | 'held' | 'threads' = 'plain'): ForegroundSession => {
    const session = new ForegroundSession(mode, script, ['ignore', 'pipe', 'pipe']);
    sessions.push(session);
    return session;
  };
  afterEach(() => {
    for (const session of sessions.splice(0)) session.close();
  });

  it('gives the exit status, and 128 + signal', async () => {
    expect(await run('exit 42').exit).to.equal(42);
    expect(await run('kill -KILL $$').exit).to.equal(137);
    expect(await run('kill -ABRT $$').exit).to.equal(128 + os.signals.SIGABRT);
  });

  it('forwards signals', async () => {
    const names = [
      'HUP',
      'INT',
      'QUIT',
      'USR1',
      'USR2',
      'ALRM',
      'CONT',
      'TSTP',
      'VTALRM',
      'PROF',
      'IO',
      'PWR',
    ];
    const session = run(catcher(names));
    await session.waitFor('ready');
    for (const name of names) {
      process.kill(session.pid, `SIG${name}`);
      await session.waitFor(`got ${name}.`);
    }
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(5);
  });

  it('forwards real-time signals', async () => {
    const session = run(catcher(['34', '64']));
    await session.waitFor('ready');
    process.kill(session.pid, 34);
    await session.waitFor('got 34.');
    process.kill(session.pid, 64);
    await session.waitFor('got 64.');
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(5);
  });

  it('does not forward signals that are about tsrun itself', async () => {
    const session = run(catcher(['WINCH', 'URG', 'CHLD', 'PIPE']));
    await session.waitFor('ready');
    for (const name of ['WINCH', 'URG', 'CHLD', 'PIPE'] as const) process.kill(session.pid, `SIG${name}`);
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(5);
    expect(session.output.replaceAll('got CHLD.\n', '')).to.equal('ready\ngot TERM.\n');
  });

  it('forwards signals that came before the container', async () => {
    expect(await run('sleep 10', 'held').exit).to.equal(128 + os.signals.SIGUSR2);
  });

  it('does not forward signals between threads of the engine', async () => {
    const session = run(catcher(['USR2']), 'threads');
    expect(await session.exit).to.equal(5);
    expect(session.output).to.equal('ready\ngot TERM.\n');
  });

  it('reaps orphans while it waits', async () => {
    const session = run('for i in 1 2 3; do (sleep 0.0$i & ); done; sleep 0.3; echo now; read x; exit 3');
    session.child.stdin?.end();
    await session.waitFor('now');
    const tasks = readFileSync(`/proc/${String(session.pid)}/task/${String(session.pid)}/children`, 'utf8');
    expect(tasks.trim().split(' ')).to.have.length(1);
    expect(await session.exit).to.equal(3);
  });
}).timeout(20_000);

describe('foreground with a terminal', () => {
  const sessions: TerminalSession[] = [];
  const run = (script: string, prepare?: (slave: number) => void): TerminalSession => {
    const session = new TerminalSession(script, prepare);
    sessions.push(session);
    return session;
  };
  afterEach(() => {
    for (const session of sessions.splice(0)) session.close();
  });

  it('connects the two terminals, with ours in raw mode', async () => {
    const session = run('echo ready; read line; echo "<$line>"; exit 6');
    await session.waitFor('ready');
    session.type('hel');
    await session.waitFor('hel');
    expect(isCooked(session.slave)).to.equal(false);
    session.type('lo\r');
    expect(await session.exit).to.equal(6);
    await session.waitFor('<hello>');
    // The echo is the container's terminal's, once.
    expect(session.output).to.equal('ready\r\nhello\r\n<hello>\r\n');
    expect(isCooked(session.slave)).to.equal(true);
  });

  it('restores the terminal when the container is killed', async () => {
    const session = run('echo ready; sleep 60');
    await session.waitFor('ready');
    expect(isCooked(session.slave)).to.equal(false);
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(128 + 15);
    expect(isCooked(session.slave)).to.equal(true);
  });

  it('lets ^C reach the container, not tsrun', async () => {
    const session = run('trap "echo interrupted; exit 9" INT; echo ready; while :; do sleep 0.05; done');
    await session.waitFor('ready');
    session.type('\x03');
    expect(await session.exit).to.equal(9);
    await session.waitFor('interrupted');
  });

  it('loses nothing of a large output at the end', async () => {
    const session = run('seq 1 60000; printf end');
    expect(await session.exit).to.equal(0);
    await session.waitFor('end');
    const wanted = `${Array.from({ length: 60_000 }, (_, i) => String(i + 1)).join('\r\n')}\r\nend`;
    expect(session.output.length).to.equal(wanted.length);
    expect(session.output === wanted).to.equal(true);
  });

  it('carries a large input in raw mode', async () => {
    const input = Buffer.alloc(300_000, Array.from({ length: 256 }, (_, i) => i).join(' '));
    const session = run('stty raw -echo; echo ready; head -c 300000 | sha256sum');
    await session.waitFor('ready');
    session.type(input);
    expect(await session.exit).to.equal(0);
    await session.waitFor(createHash('sha256').update(input).digest('hex'));
  });

  it('gives the container our size, at first and when it changes', async () => {
    const session = run(
      'stty size; trap "stty size" WINCH; echo ready; while :; do sleep 0.02; done',
      (slave) => {
        setSize(slave, { rows: 33, columns: 77 });
      },
    );
    await session.waitFor('33 77');
    await session.waitFor('ready');
    setSize(session.slave, { rows: 50, columns: 132 });
    await session.waitFor('50 132');
    expect(getSize(session.slave)).to.deep.equal({ rows: 50, columns: 132 });
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(143);
  });

  it('makes the terminal raw again after a stop', async () => {
    const session = run('echo ready; sleep 60');
    await session.waitFor('ready');
    process.kill(session.pid, 'SIGSTOP');
    // What a shell does that takes its terminal back.
    spawnSync('stty', ['sane'], { stdio: [session.slave, 'ignore', 'inherit'] });
    expect(isCooked(session.slave)).to.equal(true);
    process.kill(session.pid, 'SIGCONT');
    for (let tries = 0; tries < 100 && isCooked(session.slave); tries++) await sleep(20);
    expect(isCooked(session.slave)).to.equal(false);
    process.kill(session.pid, 'SIGTERM');
    expect(await session.exit).to.equal(143);
  });

  it('waits without CPU time while no process has the terminal open, and shows later output', async () => {
    const session = run(
      'T=$(tty); trap "" HUP; echo closing; exec </dev/null >/dev/null 2>&1; sleep 1; echo again >$T; sleep 0.2; exit 4',
    );
    await session.waitFor('closing');
    await sleep(200);
    const before = session.cpuTicks();
    await sleep(500);
    expect(session.cpuTicks() - before).to.be.at.most(10);
    expect(await session.exit).to.equal(4);
    expect(session.output).to.contain('again');
  });

  it('ends with the process, although another one keeps the terminal and writes', async () => {
    const session = run('trap "" HUP; (while :; do echo y || exit; done) & sleep 0.2; exit 8');
    expect(await session.exit).to.equal(8);
  });
}).timeout(20_000);

describe('foreground with a terminal for the container only', () => {
  let session: ForegroundSession | undefined;
  const run = (script: string, stdio: StdioOptions): ForegroundSession => {
    session = new ForegroundSession('pty', script, stdio);
    return session;
  };
  afterEach(() => session?.close());

  it('sends an end-of-file character at the end of stdin', async () => {
    const session = run('stty -echo; echo ready; cat; echo end', ['pipe', 'pipe', 'inherit']);
    await session.waitFor('ready');
    session.child.stdin?.end('line\nunfinished');
    expect(await session.exit).to.equal(0);
    expect(session.output).to.equal('ready\r\nline\r\nunfinishedend\r\n');
  });

  it('hangs up when nobody reads its output', async () => {
    const session = new ForegroundSession(
      'pty',
      'trap "exit 0" HUP; echo ready; while echo more; do :; done; exit 7',
      ['ignore', 'pipe', 'inherit'],
    );
    await session.waitFor('ready');
    session.child.stdout?.destroy();
    expect(await session.exit).to.be.oneOf([0, 7]);
  });
}).timeout(20_000);
