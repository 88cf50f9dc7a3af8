/** A decision function broke the contract of the store: a defect of the broker, not of what was sent to it. */
export const misuse = (what: string): TypeError => new TypeError(`store: ${what}`);
