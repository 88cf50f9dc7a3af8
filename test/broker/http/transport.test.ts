import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBroker } from '../../../broker/broker.js';
import type { BrokerOptions } from '../../../broker/options.js';
import { TestBroker } from '../test-broker.js';
import { makeSelfSigned } from '../tls/self-signed.js';

let broker: TestBroker;
let files: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  files = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
});
afterEach(async () => {
  await broker.stop();
  rmSync(files, { recursive: true, force: true });
});

const options = (change: Partial<BrokerOptions>): BrokerOptions => ({
  directory: broker.directory,
  listen: null,
  socket: null,
  tls: null,
  insecureHttp: false,
  name: 'test',
  log: 'silent',
  ...change,
});

test('the socket is for its owner alone', () => {
  expect(statSync(broker.socket).mode & 0o777).toBe(0o600);
});

test('plain HTTP beyond loopback needs an explicit word', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    await expect(startBroker(options({ listen: { host, port: 0 } }))).rejects.toMatchObject({
      code: 'usage',
    });
  }
});

test('a data directory has one broker', async () => {
  await expect(startBroker(options({}))).rejects.toMatchObject({ code: 'broker-locked' });
});

test('a file that is not a socket is never replaced', async () => {
  await broker.running.stop();
  const socket = join(files, 'precious');
  writeFileSync(socket, 'data');
  await expect(startBroker(options({ socket }))).rejects.toMatchObject({ code: 'broker-locked' });
  expect(readFileSync(socket, 'utf8')).toBe('data');
});

test('a socket that a killed broker left is replaced', async () => {
  await broker.running.stop();
  const socket = join(files, 'broker.sock');
  const listener =
    'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, 9))';
  spawnSync(process.execPath, ['-e', listener, socket]);
  expect(statSync(socket).isSocket()).toBe(true);
  const running = await startBroker(options({ socket }));
  expect(running.socket).toBe(socket);
  await running.stop();
});

test('with a certificate the broker speaks TLS', async () => {
  await broker.running.stop();
  const { certificate, key } = makeSelfSigned(files, 'localhost');
  const running = await startBroker(
    options({ listen: { host: '127.0.0.1', port: 0 }, tls: { kind: 'files', certificate, key } }),
  );
  const status = await new Promise((resolve, reject) => {
    const call = request(
      `${running.address}/v1/broker`,
      { ca: readFileSync(certificate), agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    call.on('error', reject);
    call.end();
  });
  expect(running.address).toMatch(/^https:/);
  expect(status).toBe(200);
  await running.stop();
});
