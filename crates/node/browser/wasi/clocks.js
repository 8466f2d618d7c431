// wasi:clocks. Nothing outside a guest changes while it runs, so that nobody can tell a wait from a clock that was put forward.

import { GuestError } from "./guest_error.js";
import { Pollable } from "./io.js";

const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;

/** Browsers round time so that scripts cannot measure each other: to this, or finer. */
const RESOLUTION_NS = 100_000n;

/** The clocks of one guest. */
export class Clock {
  #skipped = 0n;
  #most;

  /** `most` is how long the guest may wait in all, in milliseconds. */
  constructor(most) {
    this.#most = BigInt(most) * NS_PER_MS;
  }

  /** Nanoseconds since some moment before the guest began. */
  now() {
    return BigInt(Math.round(performance.now() * 1e6)) + this.#skipped;
  }

  /** Puts both clocks forward, in the place of waiting. */
  forward(ns) {
    this.#skipped += ns;
    if (this.#skipped > this.#most) throw new GuestError("deadline", "the guest waited longer than it may run");
  }

  /** What a component imports. */
  imports() {
    const at = (when) => new Pollable(this, when);
    return {
      "wasi:clocks/monotonic-clock": {
        now: () => this.now(),
        resolution: () => RESOLUTION_NS,
        subscribeInstant: at,
        subscribeDuration: (length) => at(this.now() + length),
      },
      "wasi:clocks/wall-clock": { now: () => datetime(BigInt(Date.now()) * NS_PER_MS + this.#skipped), resolution: () => datetime(NS_PER_MS) },
    };
  }
}

function datetime(ns) {
  return { seconds: ns / NS_PER_S, nanoseconds: Number(ns % NS_PER_S) };
}
