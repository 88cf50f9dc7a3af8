import { readFileSync } from 'node:fs';

/** The most memory, in bytes, that a process or one of its descendants ever had in use, seen until the process ends. */
export async function peakMemory(pid: number): Promise<number> {
  let peak = 0;
  for (;;) {
    const family = [pid];
    for (const one of family) family.push(...childrenOf(one));
    const seen = Math.max(...family.map(residentPeak));
    if (residentPeak(pid) === 0) return peak;
    peak = Math.max(peak, seen);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** 0 for a process that has ended. */
function residentPeak(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
