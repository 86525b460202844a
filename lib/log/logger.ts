import { closeSync, openSync, writeSync } from 'node:fs';
import type { TransformableInfo } from 'logform';
import type { Logger as WinstonLogger } from 'winston';
import { TsrunError } from '../errors.ts';
import { errnoText } from '../host/errno.ts';
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
  const sink = (record: LogRecord): void => {
    const people = fd === undefined && format === 'text';
    writeAll(fd ?? 2, people ? formatForPeople(record) : formatRecord(record, format));
  };
  let winston: Promise<WinstonLogger> | undefined;
  let last: Promise<void> = Promise.resolve();
  const log = (level: LogLevel, message: string): Promise<void> => {
    if (levels[level] > levels[least]) return Promise.resolve();
    const time = new Date();
    winston ??= loadWinston(sink, least);
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

async function loadWinston(sink: (record: LogRecord) => void, level: LogLevel): Promise<WinstonLogger> {
  const [{ createLogger }, Transport] = await Promise.all([
    import('winston'),
    import('winston-transport').then((module) => module.default),
  ]);
  class SyncTransport extends Transport {
    override log(info: { level: LogLevel; message: unknown; time: Date }, done: () => void): void {
      sink({ level: info.level, msg: String(info.message), time: info.time });
      done();
    }
  }
  // A format that does nothing: winston's own would stringify every record a second time.
  const format = { transform: (info: TransformableInfo) => info };
  return createLogger({ levels, level, format, transports: [new SyncTransport()] });
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
