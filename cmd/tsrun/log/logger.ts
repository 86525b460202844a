import { openSync } from 'node:fs';
import type winston from 'winston';
import type { Logger } from 'winston';
import { TsrunError } from '../../../lib/core/error.ts';
import { errnoOrRethrow, errnoText } from '../../../lib/core/errno.ts';
import type { Notice, Sink } from '../../../lib/core/finding.ts';
import { writeAll } from '../output.ts';
import { renderWarning } from '../render.ts';
import { formatForPeople, formatRecord, type LogFormat, type LogLevel, type LogRecord } from './format.ts';

export interface LogOptions {
  /** `--log`: where records go; stderr when absent. */
  file?: string | undefined;
  /** `--log-format`: text (default) or json. Text on stderr is written for people. */
  format?: string | undefined;
  /** `--debug`: debug records are written too. */
  debug?: boolean;
}

/** The log of one command. */
export interface Log extends Sink {
  /** Writes one record. */
  write(level: LogLevel, message: string): void;
}

const levels = { error: 0, warning: 1, info: 2, debug: 3 } as const satisfies Record<LogLevel, number>;

/**
 * The log of one command. The file is opened at once (appending, 0644), so that a path that cannot be written
 * is an error before anything has been done; winston is loaded only when a record must be written. Every
 * record is one synchronous write(2): the process may be killed right after.
 *
 * @throws TsrunError 'usage' when the file cannot be opened.
 */
export function openLog(options: LogOptions): Log {
  const fd = options.file === undefined ? undefined : openFile(options.file);
  const format: LogFormat = options.format === 'json' ? 'json' : 'text';
  const least: LogLevel = options.debug === true ? 'debug' : 'info';
  const shape = (record: LogRecord): string =>
    fd === undefined && format === 'text' ? formatForPeople(record) : formatRecord(record, format);
  let logger: Logger | undefined;
  const write = (level: LogLevel, message: string): void => {
    if (levels[level] > levels[least]) return;
    logger ??= makeLogger(shape, fd ?? 2, least);
    logger.log({ level, message, time: new Date() });
  };
  const tell =
    (level: LogLevel) =>
    (notice: Notice): void => {
      write(level, renderWarning(notice));
    };
  return { write, warn: tell('warning'), debug: tell('debug') };
}

/** Loads winston and gives it a transport that has written a record when it returns. */
function makeLogger(shape: (record: LogRecord) => string, fd: number, level: LogLevel): Logger {
  const { createLogger, format, transports } = loadWinston();
  const { Writable } = process.getBuiltinModule('node:stream');
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      try {
        writeAll(fd, text);
      } catch {
        // A full disk or a closed pipe: there is nowhere left to say so, and the command must go on.
      }
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

declare const TSRUN_BUNDLED: boolean | undefined;

/** Synchronously: an operation of lib/ that logs cannot wait for import(). In the bundle winston is inside. */
function loadWinston(): typeof winston {
  if (typeof TSRUN_BUNDLED === 'undefined') {
    const { createRequire } = process.getBuiltinModule('node:module');
    return createRequire(import.meta.url)('winston') as typeof winston;
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('winston') as typeof winston;
}

function openFile(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    const errno = errnoOrRethrow(error);
    throw new TsrunError('usage', `open the log file ${path}: ${errnoText(errno)}`, { errno, cause: error });
  }
}
