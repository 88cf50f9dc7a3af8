import { join } from 'node:path';
import type { Fingerprint } from '../../src/protocol/names.ts';
import { MeasuredProcess } from './measured-process.ts';
import { makeSshKey, type SshKey } from './ssh-key.ts';

/** The broker, on a data directory that {@link enrol} made. */
export const startBroker = (directory: string) =>
  MeasuredProcess.start<{ readonly address: string; readonly fingerprint: Fingerprint }>(
    'broker-process.ts',
    [directory],
    join(directory, 'broker.log'),
  );

/** The bare program, with its file in the given folder. It verifies the submits of one key. */
export const startBare = (folder: string, { publicKey }: SshKey = makeSshKey()) =>
  MeasuredProcess.start<{ readonly address: string }>('bare-process.ts', [
    join(folder, 'bare.db'),
    publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  ]);

/** Consoles in a process of their own; what it measures is then not theirs. */
export const attachConsoles = (address: string, count: number, token: string) =>
  MeasuredProcess.start<object>('console-process.ts', [address, String(count), token]);
