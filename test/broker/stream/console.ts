import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { decodeStreamMessage, type StreamMessage } from '../../../src/protocol/stream-messages.js';
import type { TestBroker } from '../test-broker.js';

type Kind = StreamMessage['type'];

/** A console as the broker sees it. */
export class Console {
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #messages: StreamMessage[] = [];
  /** The kinds of all messages that ever came. */
  readonly seen: Kind[] = [];
  #arrived: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data) => {
      const message = decodeStreamMessage(JSON.parse(String(data)));
      this.#messages.push(message);
      this.seen.push(message.type);
      this.#arrived();
    });
  }

  static async open(
    on: TestBroker,
    query = '',
    headers: Record<string, string> = {},
    signedIn?: string,
    options: ClientOptions = {},
  ): Promise<Console> {
    const token = signedIn ?? (await on.signIn());
    const socket = new WebSocket(`${on.address.replace('http', 'ws')}/v1/stream${query}`, {
      ...options,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    const console = new Console(socket);
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    return console;
  }

  /** The next message of this kind; those before it are passed over. */
  async next<K extends Kind>(kind: K): Promise<Extract<StreamMessage, { type: K }>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message?.type === kind) return message as Extract<StreamMessage, { type: K }>;
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
      }
    }
  }

  send(text: string | Buffer): void {
    this.#socket.send(text);
  }

  /** Until the broker has read what was sent before: it answers in order. */
  async heard(): Promise<void> {
    this.#socket.ping();
    await once(this.#socket, 'pong');
  }

  /** Ends as a process does that is killed: without a word of goodbye. */
  kill(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }
}
