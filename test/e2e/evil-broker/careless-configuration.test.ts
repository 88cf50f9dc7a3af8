import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { eachOf } from './cases.js';
import { type Configuration, expectOpen } from './door.js';
import { onMachine, shutUnasked } from './stage.js';

onMachine('A door with a careless configuration', (stage) => {
  test('A65 a configuration with comments, blank lines and known keys opens', async () => {
    const { door } = await stage.approvedDoor();
    door.configure({ people: '1', users: 'alice,bob', groups: 'deploy', touch: 'no' }, '\n# a comment\n#=\n');
    expectOpen(await door.login());
  });

  test('A65 a key that is missing, unknown, repeated or without its form keeps the door shut', async () => {
    const changes: Configuration[] = [
      ...['broker', 'fingerprint', 'door', 'submitter', 'signers'].map((key) => ({ [key]: null })),
      { broker: 'http://web-1.example.com' },
      { broker: 'http://127.0.0.1:1@evil.example.com' },
      { broker: 'https://evil.example.com/x' },
      { broker: 'https://evil.example.com" -o /etc/passwd "' },
      { broker: 'file:///etc/passwd' },
      { broker: 'unix:relative' },
      { fingerprint: 'SHA256:short' },
      { fingerprint: `SHA256:${'A'.repeat(42)}B` },
      { fingerprint: '*' },
      { door: 'Host:web-1' },
      { door: 'group:oncall' },
      { door: 'demo' },
      { door: 'demo.web-1' },
      { submitter: '' },
      { signers: 'signers' },
      { signers: '/etc/../etc/signers' },
      { state: '/var//lib' },
      { key: '/etc/ssh/$(id)' },
      { people: '0' },
      { people: '-1' },
      { people: '01' },
      { people: '1.5' },
      { people: 'one' },
      { people: '100' },
      { people: '1e1' },
      { people: `x[$(touch ${stage.marker})]` },
      { people: '99999999999999999999' },
      { 'required-groups': 'oncall' },
      { 'required-groups': 'oncall:0' },
      { 'required-groups': 'oncall:-1' },
      { 'required-groups': 'oncall:1,' },
      { 'required-groups': 'oncall:1,oncall:1' },
      { 'required-groups': 'a:1,b:1,c:1,d:1,e:1' },
      { 'required-groups': ',' },
      { 'required-groups': `oncall:x[$(touch ${stage.marker})]` },
      { touch: 'Yes' },
      { touch: 'true' },
      { grants: 'maybe' },
      { longest: '0' },
      { longest: '86401' },
      { 'longest-duration': '99999999' },
      { 'shared-requester': 'ignore' },
      { wait: '0' },
      { mode: 'off' },
      { mode: 'Observe' },
      { users: 'alice, bob' },
      { users: '4001' },
      { users: '*' },
      { users: '!alice' },
      { groups: '-1' },
      { 'exempt-group': 'bob,carol' },
      { ca: '/etc/ssl/certs' },
      { Broker: 'x' },
      { peolpe: '2' },
      { 'people ': '2' },
      { ' people': '2' },
    ];
    await eachOf(
      changes,
      (change) => JSON.stringify(change),
      (change) => shutUnasked(stage, 'bad-config', (door) => door.configure(change)),
    );
  });

  test('A65 a configuration that is not lines of key=value keeps the door shut', async () => {
    const endings = [
      'people=1\npeople=1\n',
      'people=1\npeople=2\n',
      'people=2',
      'people=2\r\n',
      'people = 2\n',
      'people=2 \n',
      'people: 2\n',
      'export people=2\n',
      'people\n',
      '=2\n',
      'people=\n',
      '[door]\n',
      '. /etc/passwd\n',
      '# é\n',
      'people=2\0\n',
      '\0',
      '  # not a comment\n',
    ];
    await eachOf(
      endings,
      (ending) => JSON.stringify(ending),
      (ending) => shutUnasked(stage, 'bad-config', (door) => door.configure({}, ending)),
    );
    await shutUnasked(stage, 'bad-config', (door) => writeFileSync(door.file('config'), ''));
    await shutUnasked(stage, 'bad-config', (door) => rmSync(door.file('config')));
    await shutUnasked(stage, 'bad-config', (door) => {
      rmSync(door.file('config'));
      mkdirSync(door.file('config'));
    });
  });
});
