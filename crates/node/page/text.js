// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** A count, short: 1,204 or 12.3k. */
export function count(number) {
  if (number >= 1e6) return `${one.format(number / 1e6)}M`;
  if (number >= 1e4) return `${one.format(number / 1e3)}k`;
  return whole.format(number);
}

/** A rate or another small number. */
export function small(number) {
  if (number === 0) return "0";
  if (number < 0.1) return "<0.1";
  return number < 10 ? one.format(number) : count(number);
}

/** A time from microseconds. */
export function span(us) {
  if (us === null || us === undefined) return "–";
  if (us < 1000) return `${whole.format(us)} µs`;
  if (us < 1e6) return `${us < 1e4 ? two.format(us / 1e3) : one.format(us / 1e3)} ms`;
  if (us < 6e7) return `${two.format(us / 1e6)} s`;
  if (us < 3.6e9) return `${one.format(us / 6e7)} min`;
  return `${one.format(us / 3.6e9)} h`;
}

/** A size from bytes. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${value < 10 ? one.format(value) : whole.format(value)} ${units[unit]}`;
}

/** How long ago a time in microseconds is. */
export function ago(us, now = Date.now() * 1000) {
  const seconds = Math.max(0, (now - us) / 1e6);
  if (seconds < 5) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} d ago`;
}

/** A moment in full, for titles. */
export function moment(us) {
  return new Date(us / 1000).toISOString().replace("T", " ").replace("Z", " UTC");
}

/** The time of day of an ISO time, with milliseconds. */
export function clock(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso ?? "");
  return `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** Dollars from a decimal text. */
export function dollars(text) {
  const value = Number(text);
  if (!Number.isFinite(value)) return String(text);
  if (value === 0) return "$0";
  if (value < 0.000001) return "<$0.000001";
  return value < 0.01 ? `$${value.toFixed(6)}` : `$${value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

export function percent(part, all) {
  if (!all || !part) return "0%";
  const value = (part / all) * 100;
  return value < 0.1 ? "<0.1%" : `${one.format(value)}%`;
}

/** Who did something, by the name of their token. */
export function person(text) {
  return String(text).replace(/^token:\S+ /, "");
}

/** Shortens to so many characters. */
export function cut(text, most) {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
}

/** Revisions by what logs call them: a part of their digest. */
export class Names {
  #known = [];

  learn(revisions) {
    this.#known = revisions.map((item) => [item.revision, String(item.digest ?? "").replace("sha256:", "")]);
  }

  of(text) {
    return this.#known.find(([name, digest]) => name === text || (text && digest.startsWith(text)))?.[0] ?? text ?? "";
  }
}

/** The place of a revision in the palette, by its number. */
export function hue(revision) {
  const number = /^r(\d+)$/.exec(revision);
  return number ? `c${(Number(number[1]) + 5) % 6}` : "c0";
}
