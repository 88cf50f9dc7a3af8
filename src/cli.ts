#!/usr/bin/env node
// Nothing may be imported before the version is known: better-sqlite3 ends an older Node without a word, and other
// packages fail to parse there. So this file has no static imports and no syntax newer than Node 18.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `countersign: error: Node 22.12 or newer is needed, this is ${process.versions.node}\n` +
      'hint: install a newer Node, or start it with one: /path/to/node path/to/cli.js\n',
  );
  // `run` has its own code for an error, because 1 may be that of its command.
  process.exitCode = process.argv[2] === 'run' ? 121 : 1;
} else {
  const { main } = await import('./commands/main.js');
  process.exitCode = await main(process.argv.slice(2));
}

export {};
