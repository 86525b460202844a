import { closeSync, openSync, writeSync } from 'node:fs';
import type { Logger as WinstonLogger } from 'winston';
import { TsrunError } from '../../../lib/core/error.ts';
import { errnoText } from '../../../lib/core/errno.ts';
import { formatForPeople, formatRecord } from './format.ts';
import type { LogFormat, LogLevel, LogRecord } from './format.ts';

/** What the rest of tsrun logs through. Await it when the process may end next: a record is then on its way to disk. */
export interface Log {
  error(message: string): Promise<void>;
  warning(message: string): Promise<void>;
  info(message: string): Promise<void>;
  debug(message: string): Promise<void>;
}

export interface LogOptions {
  /** `--log`: where records go; stderr when absent. */
  file?: string | undefined;
  /** `--log-format`: text (default) or json. Text on stderr is written for people. */
  format?: string | undefined;
  /** `--debug`: debug records are written too. */
  debug?: boolean;
}

export interface Logger extends Log {
  /** Resolves when everything logged so far has been written. */
  flush(): Promise<void>;
  /** Closes the file. */
  close(): void;
}

const levels = { error: 0, warning: 1, info: 2, debug: 3 } as const satisfies Record<LogLevel, number>;

/**
 * The log of one command. The file is opened at once (appending, 0644), so that a path that cannot be written
 * is an error before anything has been done; winston is loaded only when a record must be written. Every
 * record is one synchronous write(2): the process may be killed right after.
 */
export function openLog(options: LogOptions): Logger {
  const fd = options.file === undefined ? undefined : openFile(options.file);
  const format: LogFormat = options.format === 'json' ? 'json' : 'text';
  const least: LogLevel = options.debug === true ? 'debug' : 'info';
  const shape = (record: LogRecord): string =>
    fd === undefined && format === 'text' ? formatForPeople(record) : formatRecord(record, format);
  let winston: Promise<WinstonLogger> | undefined;
  let last: Promise<void> = Promise.resolve();
  const log = (level: LogLevel, message: string): Promise<void> => {
    if (levels[level] > levels[least]) return Promise.resolve();
    const time = new Date();
    winston ??= loadWinston(shape, fd ?? 2, least);
    // Chained, so that records keep their order while winston is still being loaded.
    const written = Promise.all([winston, last]).then(([logger]) => {
      logger.log({ level, message, time });
    });
    last = written.catch(() => undefined);
    return written;
  };
  return {
    error: (message) => log('error', message),
    warning: (message) => log('warning', message),
    info: (message) => log('info', message),
    debug: (message) => log('debug', message),
    flush: () => last,
    close: () => {
      if (fd !== undefined) closeSync(fd);
    },
  };
}

/** Nobody listens: for callers that log elsewhere, and for tests. */
export const silentLog: Log = {
  error: () => Promise.resolve(),
  warning: () => Promise.resolve(),
  info: () => Promise.resolve(),
  debug: () => Promise.resolve(),
};

async function loadWinston(
  shape: (record: LogRecord) => string,
  fd: number,
  level: LogLevel,
): Promise<WinstonLogger> {
  const [{ createLogger, format, transports }, { Writable }] = await Promise.all([
    import('winston').then((module) => module.default),
    import('node:stream'),
  ]);
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      writeAll(fd, text);
      done();
    },
  });
  const line = format.printf((info) =>
    shape({ level: info.level as LogLevel, msg: String(info.message), time: info['time'] as Date }),
  );
  return createLogger({
    levels,
    level,
    format: line,
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston declares it as an interface
    transports: [new transports.Stream({ stream, eol: '' })],
  });
}

function openFile(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? 0);
    throw new TsrunError('usage', `open the log file ${path}: ${errnoText(errno)}`, { errno });
  }
}

function writeAll(fd: number, text: string): void {
  let left: Uint8Array = Buffer.from(text);
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(fd, left));
    } catch {
      // A full disk or a closed pipe: there is nowhere left to say so, and the command must go on.
      return;
    }
  }
}
