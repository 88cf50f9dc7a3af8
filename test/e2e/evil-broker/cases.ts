/** Runs the cases of a table at the same time, so many at once; fails with the names of all that failed. */
export async function eachOf<Case>(
  cases: Iterable<Case>,
  nameOf: (one: Case) => string,
  run: (one: Case) => Promise<void>,
  atOnce = 6,
): Promise<void> {
  const waiting = [...cases];
  if (waiting.length === 0) throw new Error('a table without cases');
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      try {
        await run(one);
      } catch (error) {
        failures.push(`${nameOf(one)}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw new Error(`${failures.length} cases failed:\n${failures.join('\n')}`);
}
