import type { CertificateSource } from './tls/served-certificate.js';

/** Every limit of the broker, with what it stands at unless told otherwise. */
export interface Limits {
  /** Largest request body, in bytes: a 64 KiB document with escapes, its statement and claim. */
  readonly bodyBytes: number;
  /** Largest head of an HTTP request, in bytes. */
  readonly headerBytes: number;
  readonly pendingPerSubmitter: number;
  readonly pendingPerResource: number;
  /** Pending requests in the name of one person, whoever submits them. */
  readonly pendingPerRequester: number;
  /** How often a minute the notification command is run for one requester, and for one submitter. */
  readonly ringsPerRequester: number;
  readonly ringsPerSubmitter: number;
  /** So many denials of one requester for one resource within the window mute the two; times in ms. */
  readonly mutingDenials: number;
  readonly denialWindowMs: number;
  readonly muteMs: number;
  /** Calls a second that one principal may make in the long run, and how many at once. */
  readonly callsPerSecond: number;
  readonly callsBurst: number;
  /** The same for everything that comes from one address, before it is known who it is. */
  readonly addressCallsPerSecond: number;
  readonly addressCallsBurst: number;
  /** Longest `Prefer: wait`, in seconds. */
  readonly waitSeconds: number;
  /** Longest time for one document of an OIDC issuer, in ms. */
  readonly issuerMs: number;
  readonly consoles: number;
  /** Consoles of one approver. */
  readonly consolesPerApprover: number;
  /** Bytes that may queue up for one console, beside its first picture, before it is dropped; it resumes by `seq`. */
  readonly backlogBytes: number;
  /** Events kept in memory for consoles that resume. */
  readonly resumeEvents: number;
  /** Bytes of them. */
  readonly resumeBytes: number;
  /** Ended requests that a snapshot carries beside the live ones. */
  readonly snapshotEnded: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 160 * 1024,
  headerBytes: 16 * 1024,
  pendingPerSubmitter: 200,
  pendingPerResource: 100,
  pendingPerRequester: 50,
  ringsPerRequester: 3,
  ringsPerSubmitter: 10,
  mutingDenials: 2,
  denialWindowMs: 15 * 60_000,
  muteMs: 15 * 60_000,
  callsPerSecond: 50,
  callsBurst: 200,
  addressCallsPerSecond: 500,
  addressCallsBurst: 2000,
  waitSeconds: 300,
  issuerMs: 5_000,
  consoles: 500,
  consolesPerApprover: 20,
  backlogBytes: 4 * 1024 * 1024,
  resumeEvents: 10_000,
  resumeBytes: 32 * 1024 * 1024,
  snapshotEnded: 50,
};

export interface BrokerOptions {
  /** Holds broker.db, broker.key and the socket; 0700. */
  readonly directory: string;
  /** null: no TCP. Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Path of the Unix socket; null: none. */
  readonly socket: string | null;
  /** null: plain HTTP. */
  readonly tls: CertificateSource | null;
  /** Allow plain HTTP beyond loopback. */
  readonly insecureHttp: boolean;
  /** Shown to clients. */
  readonly name: string;
  /** Path of a program that tells somebody of pending requests; none unless given. */
  readonly notifyCommand?: string;
  /** Path of the policy file; one other person is enough for anything unless given. */
  readonly policyFile?: string;
  /** How long closed requests are kept, in seconds; for ever unless given. */
  readonly retain?: number;
  /** Path of the file of webhooks; none unless given. */
  readonly webhooksFile?: string;
  readonly log: 'json' | 'silent';
  readonly limits?: Partial<Limits>;
}
