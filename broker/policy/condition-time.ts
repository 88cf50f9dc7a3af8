import {
  type CelFunc,
  type CelInput,
  CelScalar,
  type CelType,
  type CelValue,
  celEnv,
  celMethod,
  isCelType,
  parse,
  plan,
} from '@bufbuild/cel';
import type { EpochMs } from '../../src/protocol/time.js';
import { wallAt } from '../../src/protocol/zoned-time.js';

const plain = celEnv();
const TIMESTAMP = plan(plain, parse('timestamp(text)'));
const SECONDS = plan(plain, parse('int(time)'));

/** A time as CEL has it, in whole seconds. */
export const celTime = (at: EpochMs): CelInput =>
  TIMESTAMP({ text: new Date(Math.floor(at / 1000) * 1000).toISOString() }) as CelInput;

/** Local dates and times as if they were UTC, so that the zone of this machine has no say in them. */
const PARTS = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) =>
    Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
} as const satisfies Record<string, (local: Date) => number>;

/** Methods of a timestamp, with or without a zone. */
export const TIME_METHODS: readonly string[] = Object.keys(PARTS);

/**
 * The methods of timestamps (cel-spec, "Timezones") in place of those of the library, which go through the zone of this
 * machine and are an hour off when its clocks change.
 */
export const timeMethods: CelFunc[] = Object.entries(PARTS).flatMap(([name, part]) => [
  celMethod(name, timestampType(), [], CelScalar.INT, function () {
    return BigInt(part(localTime(secondsOf(this), 'UTC')));
  }),
  celMethod(name, timestampType(), [CelScalar.STRING], CelScalar.INT, function (zone) {
    return BigInt(part(localTime(secondsOf(this), zone)));
  }),
]);

function timestampType(): CelType {
  const type: unknown = plan(plain, parse('type(timestamp("1970-01-01T00:00:00Z"))'))();
  if (isCelType(type)) return type;
  throw new Error('CEL has no timestamps');
}

function secondsOf(time: CelValue): number {
  return Number(SECONDS({ time: time as CelInput }));
}

const localTime = (seconds: number, zone: string): Date => new Date(wallAt(seconds * 1000, zone));
