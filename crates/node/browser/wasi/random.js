// wasi:random, all of it from the browser's own generator.

/** The most random bytes that one call gives. */
const BYTES_MAX = 16 << 20;
/** The most that the browser gives at once. */
const ONCE_BYTES_MAX = 65536;

function bytes(length) {
  if (length > BigInt(BYTES_MAX)) throw new Error(`more than ${BYTES_MAX} random bytes at once`);
  const drawn = new Uint8Array(Number(length));
  for (let at = 0; at < drawn.length; at += ONCE_BYTES_MAX) crypto.getRandomValues(drawn.subarray(at, at + ONCE_BYTES_MAX));
  return drawn;
}

function number() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

export const random = {
  "wasi:random/random": { getRandomBytes: bytes, getRandomU64: number },
  "wasi:random/insecure": { getInsecureRandomBytes: bytes, getInsecureRandomU64: number },
  "wasi:random/insecure-seed": { insecureSeed: () => [number(), number()] },
};
