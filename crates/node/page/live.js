// What happened lately: the counters of `/v1/live`, sampled, and their differences.

import { pause } from "./client.js";

const EVERY_MS = 2000;
const WINDOW_S = 300;
/** Over how much the figures of now are taken. */
const RECENT_S = 20;

/** Samples of the last minutes; tells `sample` with each. */
export class Live extends EventTarget {
  #client;
  #samples = [];
  #stop = null;
  /** `waiting`, `here`, or `absent` where the node does not count. */
  state = "waiting";
  bounds = [];
  node = null;
  tenant = null;

  constructor(client) {
    super();
    this.#client = client;
  }

  /** Begins anew, for one tenant or for all that the session reaches. */
  start(tenant) {
    this.stop();
    this.tenant = tenant;
    this.#samples = [];
    this.#stop = new AbortController();
    this.#run(this.#stop.signal).catch(() => {});
  }

  stop() {
    this.#stop?.abort();
  }

  async #run(signal) {
    for (;;) {
      try {
        this.#take(await this.#client.get("/v1/live", { tenant: this.tenant, limit: 1000 }, signal));
      } catch (problem) {
        if (problem.name === "AbortError" || problem.status === 401) return;
        this.state = problem.status === 404 ? "absent" : "waiting";
        this.dispatchEvent(new Event("sample"));
      }
      await pause(document.hidden ? 5 * EVERY_MS : EVERY_MS, signal);
    }
  }

  #take(view) {
    const last = this.#samples.at(-1);
    if (last && last.started !== view.started_us) this.#samples = [];
    const apps = new Map(view.apps.map((app) => [`${app.tenant}/${app.app}`, app]));
    this.#samples.push({ at: view.at_us, started: view.started_us, apps });
    while (this.#samples.length > 2 && view.at_us - this.#samples[0].at > (WINDOW_S + 10) * 1e6) this.#samples.shift();
    this.state = "here";
    this.bounds = view.latency_bounds_us;
    this.node = view.node ?? null;
    this.dispatchEvent(new Event("sample"));
  }

  get now() {
    return this.#samples.at(-1)?.at ?? Date.now() * 1000;
  }

  /** Over how long there are points, in whole minutes: charts fill from the start. */
  get window() {
    const age = this.#samples.length ? (this.now - this.#samples[0].at) / 1e6 : 0;
    return Math.min(WINDOW_S, Math.max(60, Math.ceil(age / 60) * 60));
  }

  /** The apps that ran since the node started. */
  get apps() {
    return [...(this.#samples.at(-1)?.apps.values() ?? [])];
  }

  /** The counters of an app as they are. */
  total(id) {
    return this.#samples.at(-1)?.apps.get(id) ?? null;
  }

  /** One point for each step between samples. */
  points(id) {
    const points = [];
    for (let at = 1; at < this.#samples.length; at += 1) {
      points.push(this.#between(this.#samples[at - 1], this.#samples[at], id));
    }
    return points;
  }

  /** The figures of now. */
  recent(id) {
    const last = this.#samples.at(-1);
    const first = this.#samples.find((sample) => last.at - sample.at <= RECENT_S * 1e6);
    return !last || first === last ? null : this.#between(first, last, id);
  }

  #between(before, after, id) {
    const zero = { requests: 0, errors: 0, executed_us: 0, latency: [] };
    const now = after.apps.get(id) ?? zero;
    const then = before.apps.get(id) ?? zero;
    const seconds = Math.max(0.001, (after.at - before.at) / 1e6);
    // A counter that went back began anew.
    const less = (key) => Math.max(0, now[key] - then[key]);
    const buckets = now.latency.map((number, place) => Math.max(0, number - (then.latency[place] ?? 0)));
    return {
      at: after.at,
      requests: less("requests"),
      rate: less("requests") / seconds,
      errors: less("errors"),
      errorRate: less("errors") / seconds,
      executed: less("executed_us") / seconds / 1000,
      p50: quantile(this.bounds, buckets, 0.5),
      p99: quantile(this.bounds, buckets, 0.99),
    };
  }
}

/** The time within which this share of invocations ended, interpolated inside its bucket; null of none. */
export function quantile(bounds, buckets, share) {
  const all = buckets.reduce((sum, number) => sum + number, 0);
  if (all === 0) return null;
  let left = share * all;
  for (let place = 0; place < buckets.length; place += 1) {
    if (buckets[place] > 0 && left <= buckets[place]) {
      const low = place === 0 ? 0 : bounds[place - 1];
      const high = bounds[place] ?? low;
      return low + (high - low) * (left / buckets[place]);
    }
    left -= buckets[place];
  }
  return bounds.at(-1) ?? null;
}
