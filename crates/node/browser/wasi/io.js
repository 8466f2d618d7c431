// wasi:io. Everything that a guest reads is there before it starts and everything that it writes is kept, so that no call waits.

/** The most bytes that one call reads or writes. */
export const PIECE_BYTES_MAX = 1 << 20;

/** What an interface calls an error of a stream. */
class IoError {
  #what;

  constructor(what) {
    this.#what = what;
  }

  toDebugString() {
    return this.#what;
  }
}

/** Something to wait for: there at once, or at a moment of a guest's clock. */
export class Pollable {
  #clock;
  #at;

  constructor(clock = null, at = 0n) {
    this.#clock = clock;
    this.#at = at;
  }

  ready() {
    return this.left() === 0n;
  }

  block() {
    this.#clock?.forward(this.left());
  }

  /** How long until it is ready, in nanoseconds. */
  left() {
    const now = this.#clock?.now() ?? this.#at;
    return this.#at > now ? this.#at - now : 0n;
  }
}

/** Waits for the first. */
function poll(pollables) {
  if (pollables.length === 0) throw new Error("a poll of nothing");
  const nearest = pollables.reduce((one, other) => (other.left() < one.left() ? other : one));
  nearest.block();
  const ready = pollables.flatMap((pollable, index) => (pollable.ready() ? [index] : []));
  return Uint32Array.from(ready);
}

/** The end of a stream. */
const closed = () => ({ tag: "closed" });

/** A failure of a stream, as the interface throws it. */
export const failed = (what) => ({ tag: "last-operation-failed", val: new IoError(what) });

/** Bytes that are all there. */
export class InputStream {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  read(length) {
    if (this.#at >= this.#bytes.length) throw closed();
    const end = this.#at + Math.min(Number(length), PIECE_BYTES_MAX);
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at += piece.length;
    return piece;
  }

  blockingRead(length) {
    return this.read(length);
  }

  skip(length) {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length) {
    return this.skip(length);
  }

  subscribe() {
    return new Pollable();
  }
}

/** Gives what is written to a function, which throws what a stream throws. */
export class OutputStream {
  #take;

  constructor(take) {
    this.#take = take;
  }

  checkWrite() {
    return BigInt(PIECE_BYTES_MAX);
  }

  write(bytes) {
    if (bytes.length > PIECE_BYTES_MAX) throw new Error("more is written than was allowed");
    this.#take(bytes);
  }

  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }

  flush() {}

  blockingFlush() {}

  writeZeroes(length) {
    this.write(new Uint8Array(Math.min(Number(length), PIECE_BYTES_MAX + 1)));
  }

  blockingWriteZeroesAndFlush(length) {
    this.writeZeroes(length);
  }

  splice(source, length) {
    const piece = source.read(length);
    this.write(piece);
    return BigInt(piece.length);
  }

  blockingSplice(source, length) {
    return this.splice(source, length);
  }

  subscribe() {
    return new Pollable();
  }
}

export const io = {
  "wasi:io/error": { Error: IoError },
  "wasi:io/poll": { Pollable, poll },
  "wasi:io/streams": { InputStream, OutputStream },
};
