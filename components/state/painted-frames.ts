import type { PaintedFrame } from './console-events.js';

/**
 * Tells what has really reached the terminal: frames are announced when React commits them, and reported once
 * one has been written, which may be the last of several.
 */
export interface PaintedFrames {
  /** The frame that is written next. */
  readonly announce: (frame: PaintedFrame) => void;
  /** A frame has been written. */
  readonly written: () => void;
  /** Calls `listener` after each written frame; returns the way to stop. */
  readonly listen: (listener: (frame: PaintedFrame) => void) => () => void;
}

export function createPaintedFrames(): PaintedFrames {
  let announced: PaintedFrame | null = null;
  let heard: ((frame: PaintedFrame) => void) | null = null;
  return {
    announce(frame) {
      announced = frame;
    },
    written() {
      const frame = announced;
      // It is written in the middle of a commit, in which no new state may be set.
      if (frame !== null) queueMicrotask(() => heard?.(frame));
    },
    listen(listener) {
      heard = listener;
      return () => {
        heard = null;
      };
    },
  };
}
