import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { describeWith } from '../tools.js';
import { Door, type DoorOptions, expectOpen, expectShut } from './door.js';
import { approved, type Conduct, EvilBroker } from './evil-broker.js';
import { Machine } from './machine.js';
import { receipt } from './people.js';

/** What the tests of one file share: a machine, and as many doors and brokers as they ask for. */
export interface Stage {
  readonly machine: Machine;
  /** A file that exists as soon as some hostile text has been run as code. */
  readonly marker: string;
  readonly broker: (conduct?: Conduct) => Promise<EvilBroker>;
  /** A door, with a broker of its own if none is given. */
  readonly door: (options?: Partial<DoorOptions>) => Promise<{ door: Door; broker: EvilBroker }>;
  /** A door whose broker has everything approved by bob, genuinely. */
  readonly approvedDoor: (options?: Partial<DoorOptions>) => Promise<{ door: Door; broker: EvilBroker }>;
}

const TOOLS = ['root', 'mount namespaces', 'bash', 'curl', 'ssh-keygen', 'flock', 'logger'];

/**
 * Declares a suite on a machine.
 *
 * @param tools what it needs besides what every door needs
 */
export function onMachine(title: string, body: (stage: Stage) => void, tools: readonly string[] = []): void {
  describeWith([...TOOLS, ...tools], title, () => {
    let machine: Machine;
    let knownKeys = '';
    const brokers: EvilBroker[] = [];
    const doors: { door: Door; broker: EvilBroker }[] = [];
    const startBroker = async (conduct: Conduct = {}): Promise<EvilBroker> => {
      const started = await EvilBroker.start(conduct);
      brokers.push(started);
      return started;
    };
    const stage: Stage = {
      get machine() {
        return machine;
      },
      get marker() {
        return join(machine.directory, 'marker');
      },
      broker: startBroker,
      door: async (options = {}) => {
        const used = options.broker ?? (await startBroker());
        const made = { door: new Door(machine, { ...options, broker: used }), broker: used };
        if (knownKeys !== '') writeFileSync(made.door.file('state/keys'), knownKeys, { mode: 0o600 });
        doors.push(made);
        return made;
      },
      approvedDoor: async (options = {}) => {
        const made = await stage.door(options);
        made.broker.conduct = { redeem: (ask) => approved(ask, receipt(made.broker, ask)) };
        return made;
      },
    };
    beforeAll(async () => {
      machine = await Machine.start();
      // An honest broker and a fresh door: if this did not open, nothing below would mean anything. What the door learns of
      // the keys saves all others from checking them again.
      const { door } = await stage.approvedDoor();
      expectOpen(await door.login());
      knownKeys = readFileSync(door.file('state/keys'), 'utf8');
    });
    afterEach(() => {
      expect(existsSync(stage.marker), 'hostile text has been run').toBe(false);
    });
    afterAll(async () => {
      for (const asked of brokers) {
        const opened = asked.told.filter(({ body }) => body.includes('"outcome":"opened"')).length;
        const uses = doors.reduce((sum, { door, broker }) => sum + (broker === asked ? door.uses : 0), 0);
        expect(opened, 'a door reports more openings than it has on record').toBeLessThanOrEqual(uses);
      }
      await Promise.all(brokers.map((started) => started.stop()));
      await machine.stop();
    });
    body(stage);
  });
}

/** A door that would be opened by its broker is shut by what it was prepared with, before it asks anybody. */
export async function shutUnasked(
  stage: Stage,
  code: string | RegExp,
  prepare: (door: Door) => void,
  environment: Record<string, string> = {},
): Promise<void> {
  const { door, broker } = await stage.approvedDoor();
  prepare(door);
  expectShut(await door.login({ environment }), code);
  expect(broker.asks).toEqual([]);
}
