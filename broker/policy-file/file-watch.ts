import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** After the last of several changes that come together, in ms: an editor may write a file in parts. */
const SETTLED = 200;
/** What Kubernetes replaces when a mounted ConfigMap changes. */
const CONFIG_MAP = '..data';

/**
 * Calls back some time after a file was written or replaced. It watches the directory, because a file that is replaced is
 * another one.
 *
 * @param onLost called when the directory can no longer be watched
 * @returns the way to stop
 */
export function watchFile(file: string, onChanged: () => void, onLost: (error: Error) => void): () => void {
  const name = basename(file);
  let settled: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | null = null;
  const stop = (): void => {
    clearTimeout(settled);
    watcher?.close();
  };
  try {
    watcher = watch(dirname(file), { persistent: false }, (_event, changed) => {
      if (changed !== null && changed !== name && changed !== CONFIG_MAP) return;
      clearTimeout(settled);
      settled = setTimeout(onChanged, SETTLED);
      settled.unref();
    });
    watcher.on('error', (error) => {
      stop();
      onLost(error);
    });
  } catch (error) {
    onLost(error as Error);
  }
  return stop;
}
