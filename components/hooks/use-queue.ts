import { useEffect } from 'react';
import type { Queue, QueueConnection } from '../../src/client/queue.js';
import { showsSame } from '../../src/client/queue-feed.js';

/** The first change is drawn at once, and those that follow faster together: no eye follows more, and a flood must not starve the keys (A32). */
const FRAME_MS = 100;
/** Of the time, a picture may take one part in so many: where ten thousand wait, fewer are drawn, and keys are still heard at once. */
const SHARE = 8;

/** Hands every change of the queue on, at most one a frame, fewer where each takes long, and only where something that is shown has changed. */
export function useQueue(connection: QueueConnection, onQueue: (queue: Queue) => void): void {
  useEffect(() => {
    let shown: Queue | null = null;
    let timer: NodeJS.Timeout | null = null;
    let isStale = false;
    const hand = (): void => {
      const queue = connection.queue();
      isStale = false;
      if (shown !== null && isSamePicture(shown, queue)) return;
      shown = queue;
      const began = performance.now();
      onQueue(queue);
      const took = performance.now() - began;
      timer = setTimeout(
        () => {
          timer = null;
          if (isStale) hand();
        },
        Math.max(FRAME_MS, SHARE * took),
      );
    };
    const unsubscribe = connection.subscribe(() => {
      isStale = true;
      if (timer === null) hand();
    });
    hand();
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  }, [connection, onQueue]);
}

function isSamePicture(a: Queue, b: Queue): boolean {
  return a.link === b.link && showsSame(a, b);
}
