import { WebSocket } from 'ws';
import { decodeStreamMessage, type StreamMessage } from '../../../src/protocol/stream-messages.js';
import type { TestBroker } from '../test-broker.js';

type Kind = StreamMessage['type'];

/** A console as the broker sees it. */
export class Console {
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #messages: StreamMessage[] = [];
  #arrived: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data) => {
      this.#messages.push(decodeStreamMessage(JSON.parse(String(data))));
      this.#arrived();
    });
  }

  static async open(
    on: TestBroker,
    query = '',
    headers: Record<string, string> = {},
    signedIn?: string,
  ): Promise<Console> {
    const token = signedIn ?? (await on.signIn());
    const socket = new WebSocket(`${on.address.replace('http', 'ws')}/v1/stream${query}`, {
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

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }
}
