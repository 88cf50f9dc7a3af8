import { copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BrokerProcess } from '../programs.js';
import { Door, expectOpen, expectShut } from './door.js';
import type { EvilBroker } from './evil-broker.js';
import { onMachine } from './stage.js';

onMachine('A door whose broker goes on from a back-up', (stage) => {
  let broker: BrokerProcess;
  let door: Door;
  let bob: string;
  beforeEach(async () => {
    broker = new BrokerProcess();
    bob = await broker.enrol('bob');
    await broker.enrol('alice');
    const name = 'host:web-1.example.com';
    const limits = ['--action', '*', '--resource', '*', '--door', name, '--requester', '*'];
    await broker.must('submitter', 'add', name, '--key', `${stage.machine.hostKey}.pub`, ...limits);
    await broker.start();
    const { address, fingerprint } = broker;
    door = new Door(stage.machine, { broker: { address, fingerprint } as EvilBroker, config: { wait: '2' } });
    writeFileSync(door.file('signers'), await broker.must('roster', 'export'));
  });
  afterEach(() => broker.remove());

  /** Waits in vain, is approved, opens; the back-up lies before the opening. Returns the ways back to that moment. */
  async function openAfterBackup() {
    expectShut(await door.login(), 'waiting');
    const [request] = JSON.parse(await broker.must('list', '--json', '--key', bob)).requests;
    await broker.must('approve', request.id, '--yes-i-read-it', request.digest, '--key', bob);
    const file = join(broker.directory, 'copy.db');
    await broker.must('backup', file);
    const asks = join(broker.directory, 'asks');
    cpSync(door.file('state/asks'), asks, { recursive: true });
    expectOpen(await door.login());
    return {
      file,
      // As if the door had been cut off before it forgot its ask.
      askAgain: () => {
        rmSync(door.file('state/asks'), { recursive: true });
        cpSync(asks, door.file('state/asks'), { recursive: true });
      },
    };
  }

  test('A55 an approval that was used after the back-up opens nothing again', async () => {
    const { file, askAgain } = await openAfterBackup();
    await broker.signal('SIGTERM');
    await broker.must('restore', file);
    await broker.start();
    askAgain();
    expectShut(await door.login(), 'waiting');
    expect(door.uses).toBe(1);
  });

  test('A51 nor does it where the old database was just put in place', async () => {
    const { file, askAgain } = await openAfterBackup();
    await broker.signal('SIGTERM');
    copyFileSync(file, join(broker.data, 'broker.db'));
    await broker.start();
    askAgain();
    expectShut(await door.login(), 'waiting');
    expect(door.uses).toBe(1);
  });
});
