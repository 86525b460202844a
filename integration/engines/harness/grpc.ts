import { join } from 'node:path';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { projectRoot } from '../../harness/programs.ts';

/** A message as @grpc/proto-loader reads it with the options below: enums by name, numbers of 64 bits as numbers. */
export type Message = Record<string, unknown>;

/** A service of a daemon on a unix socket. */
export class Service {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /** `proto` is a file of this folder, `service` its full name in there. */
  constructor(socket: string, proto: string, service: string, metadata: Record<string, string> = {}) {
    const definition = loadSync(join(projectRoot, 'integration/engines/harness', proto), {
      keepCase: true,
      enums: String,
      longs: Number,
      defaults: true,
    });
    let found: unknown = loadPackageDefinition(definition);
    for (const part of service.split('.')) found = (found as GrpcObject)[part];
    const Constructor = found as ServiceClientConstructor;
    // The daemon refuses the path of the socket as the name of a host.
    const options = { 'grpc.default_authority': 'localhost' };
    this.#client = new Constructor(`unix://${socket}`, credentials.createInsecure(), options);
    for (const [key, value] of Object.entries(metadata)) this.#metadata.set(key, value);
  }

  /** One call with its answer; an error has the daemon's message. */
  async call(method: string, request: Message = {}): Promise<Message> {
    return await new Promise((resolve, reject) => {
      const deadline = new Date(Date.now() + 60_000);
      const client = this.#client as unknown as Record<string, UnaryCall>;
      const unary = client[method];
      if (unary === undefined) throw new Error(`the service has no call ${method}`);
      unary.call(this.#client, request, this.#metadata, { deadline }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

type UnaryCall = (
  request: Message,
  metadata: Metadata,
  options: { deadline: Date },
  done: (error: Error | null, answer: Message) => void,
) => void;
