const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** Seconds as the policy file writes them: `90s`, `5m`, `1h`, `7d`. */
export function inWords(seconds: number): string {
  const unit = UNITS.find(([, size]) => seconds > 0 && seconds % size === 0);
  return unit === undefined ? `${seconds}s` : `${seconds / unit[1]}${unit[0]}`;
}
