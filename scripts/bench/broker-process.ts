// A broker whose limits no benchmark reaches: broker-process.ts COMPILED DATA-DIRECTORY
import { beMeasured } from './measured-process.ts';
import { compiled } from './modules.js';

const { startBroker } = await compiled<typeof import('../../broker/broker.ts')>('broker/broker.js');

const directory = process.argv[3] ?? '';
const endless = 1_000_000_000;
const broker = await startBroker({
  directory,
  listen: { host: '127.0.0.1', port: 0 },
  socket: null,
  tls: null,
  insecureHttp: false,
  name: 'bench',
  log: 'json',
  limits: {
    pendingPerSubmitter: endless,
    pendingPerResource: endless,
    pendingPerRequester: endless,
    callsPerSecond: endless,
    callsBurst: endless,
    addressCallsPerSecond: endless,
    addressCallsBurst: endless,
    consolesPerApprover: endless,
  },
});
beMeasured({ address: broker.address, fingerprint: broker.fingerprint }, () => broker.stop());
