import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { until } from '../../harness/until.ts';

/** Channels of the protocol v4.channel.k8s.io: the first byte of each message. */
const channels = { stdin: 0, stdout: 1, error: 3, resize: 4 } as const;
const opcodes = { binary: 2, close: 8 } as const;

/** A process of a container on the streaming URL of CRI, as `kubectl exec -it` talks to it: a WebSocket (RFC 6455). */
export class ExecStream {
  readonly #socket: Duplex;
  #unread: Buffer;
  #stdout = '';
  #error = '';

  private constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#unread = head;
    this.#read();
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#read();
    });
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<ExecStream> {
    return await new Promise((resolve, reject) => {
      const upgrade = request(url, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
          'Sec-WebSocket-Protocol': 'v4.channel.k8s.io',
        },
      });
      upgrade.on('upgrade', (_, socket, head) => {
        resolve(new ExecStream(socket, head));
      });
      upgrade.on('response', ({ statusCode }) => {
        reject(new Error(`no WebSocket at ${url}: status ${statusCode ?? 0}`));
      });
      upgrade.on('error', reject);
      upgrade.end();
    });
  }

  write(text: string): void {
    this.#send(channels.stdin, text);
  }

  resize(Width: number, Height: number): void {
    this.#send(channels.resize, JSON.stringify({ Width, Height }));
  }

  /** Waits until the process has printed a text; returns all it has printed. */
  async printed(text: string): Promise<string> {
    await until(JSON.stringify(text), () => this.#stdout.includes(text));
    return this.#stdout;
  }

  /** Waits for the end of the process: the status that the engine sends last. */
  async ended(): Promise<{ status?: string; details?: { causes?: { message?: string }[] } }> {
    const text = await until('the status of the process', () => this.#error !== '' && this.#error);
    this.#socket.destroy();
    return JSON.parse(text) as object;
  }

  /** One frame; what a client sends is masked. */
  #send(channel: number, text: string): void {
    const payload = Buffer.concat([Buffer.of(channel), Buffer.from(text)]);
    if (payload.length > 125) throw new Error('longer messages are not needed here');
    const mask = randomBytes(4);
    const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    this.#socket.write(
      Buffer.concat([Buffer.of(0x80 | opcodes.binary, 0x80 | payload.length), mask, masked]),
    );
  }

  /** Takes every whole frame out of what has come. */
  #read(): void {
    for (;;) {
      const data = this.#unread;
      const short = (data[1] ?? 0) & 0x7f;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (data.length < start) return;
      const length =
        short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
      if (data.length < start + length) return;
      const payload = data.subarray(start + 1, start + length).toString();
      const isData = ((data[0] ?? 0) & 0xf) < opcodes.close;
      if (isData && data[start] === channels.stdout) this.#stdout += payload;
      if (isData && data[start] === channels.error) this.#error += payload;
      this.#unread = data.subarray(start + length);
    }
  }
}
