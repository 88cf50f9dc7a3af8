import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { locate } from '../../client/locations.js';
import { Problem } from '../../protocol/problems.js';
import { hasDatabase } from '../enrolled-directory.js';
import { exact, print, tell } from '../output.js';
import { defineVerb } from '../verb.js';

export const installVerb = defineVerb({
  help: `
Put a policy in force while no broker runs, without asking anybody: the way out when a
policy asks for somebody who is gone. Over a running broker others approve a change of
its policy file; this one stands in the log as done without approval, and status and
doctor say so for a week.

Usage
  countersign policy install FILE [--dir DIR]

Flags
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)

The broker compares its own policy file with it at the next start: give it the same file.

Examples
  systemctl stop countersign
  countersign policy install /etc/countersign/policy.yaml
`,
  arguments: ['FILE'],
  flags: { dir: 'text' },
  async run({ arguments: [file = ''], flags, env }) {
    const { data } = locate(flags, env);
    if (!hasDatabase(data)) {
      throw new Problem('usage', `there is no broker in ${JSON.stringify(data)}`, {
        hint: 'name its data directory with --dir',
      });
    }
    const [{ openSqliteStore }, { installPolicy }, { readYamlFile }] = await Promise.all([
      import('../../../broker/store/sqlite/open.js'),
      import('../../../broker/changes/offline.js'),
      import('../../../broker/yaml-file.js'),
    ]);
    const path = resolve(file);
    const text = await readYamlFile(path, 'bad-policy');
    const store = await openSqliteStore({
      directory: data,
      clock: Date.now,
      random: randomBytes,
      onMigrated: (copy) => tell(`brought the database up to this version; as it was before: ${exact(copy)}`),
    });
    try {
      const { rules, digest, withoutApproval } = await installPolicy(store, text, path, Date.now());
      print(`installed ${exact(path)}: ${rules === 1 ? '1 rule' : `${rules} rules`}, ${digest}`);
      if (withoutApproval) tell('installed without approval, because no broker runs: its log says so');
      return 0;
    } finally {
      await store.close();
    }
  },
});
