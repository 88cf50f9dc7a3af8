const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What came of work that a signal may stop. */
export type Interruptible<Result> =
  | { readonly interrupted: null; readonly result: Result }
  | { readonly interrupted: NodeJS.Signals };

/** Runs `work` until a signal asks this program to stop, by aborting what it is given. */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Interruptible<Result>> {
  const interrupt = new AbortController();
  let interrupted: NodeJS.Signals | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    interrupted = signal;
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  try {
    const result = await work(interrupt.signal);
    // The work may have been over already: whoever asked to stop does not want what follows from it.
    return interrupted === null ? { interrupted, result } : { interrupted };
  } catch (error) {
    if (interrupted === null) throw error;
    return { interrupted };
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}
