import type { RequestId } from '../protocol/names.js';
import { encodeConsoleMessage, type StreamMessage } from '../protocol/stream-messages.js';

/**
 * Tells the broker which request is open here, over whatever connection there is: not before the broker has said that it
 * wants to know, and at most once for each of its heartbeats, however fast somebody goes from one to the next.
 */
export class OwnReading {
  #open: RequestId | null = null;
  /** What the broker knows of this connection; null where it does not want to know. */
  #told: { readonly id: RequestId | null; readonly isDue: boolean } | null = null;

  /** Another connection: the broker knows nothing yet. */
  reset(): void {
    this.#told = null;
  }

  set(id: RequestId | null): void {
    this.#open = id;
  }

  hear(messages: readonly StreamMessage[]): void {
    if (this.#told === null && messages.some(({ type }) => type === 'reading')) {
      this.#told = { id: null, isDue: true };
    } else if (this.#told !== null && messages.some(({ type }) => type === 'heartbeat')) {
      this.#told = { ...this.#told, isDue: true };
    }
  }

  /** What is to be sent now; null where there is nothing, or where it has to wait for the next heartbeat. */
  take(): string | null {
    if (this.#told === null || !this.#told.isDue || this.#told.id === this.#open) return null;
    this.#told = { id: this.#open, isDue: false };
    return encodeConsoleMessage({ type: 'reading', id: this.#open });
  }
}
