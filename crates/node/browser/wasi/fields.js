// Header fields, with the rules of a node.

/** The most that one set of fields takes, in bytes, counted as a node counts: a name and a value each with an overhead. */
const FIELDS_BYTES_MAX = 64 << 10;
const NAME_BYTES = 32;
const VALUE_BYTES = 40;

/** What belongs to the connection, and never to a guest. */
const FORBIDDEN = new Set([
  "connection", "host", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
  "transfer-encoding", "upgrade",
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** A name as it is kept. */
function named(name) {
  const lower = name.toLowerCase();
  if (!TOKEN.test(lower)) throw { tag: "invalid-syntax" };
  if (FORBIDDEN.has(lower)) throw { tag: "forbidden" };
  return lower;
}

function valued(bytes) {
  if (!bytes.every((byte) => (byte >= 32 && byte !== 127) || byte === 9)) throw { tag: "invalid-syntax" };
  return bytes.slice();
}

/** A header's text, which has one byte to a character. */
const latin = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Names in lower case, each with values, in the order in which they came. */
export class Fields {
  #values = new Map();
  #immutable = false;
  #bytes = 0;

  static fromList(entries) {
    const fields = new Fields();
    for (const [name, value] of entries) fields.append(name, value);
    return fields;
  }

  /** Those of a request that came to a page. */
  static ofRequest(headers) {
    const fields = new Fields();
    for (const [name, value] of headers) {
      if (!FORBIDDEN.has(name)) fields.#keep(name, [latin(value)]);
    }
    return fields.fixed();
  }

  /** The same, for good. */
  fixed() {
    this.#immutable = true;
    return this;
  }

  get(name) {
    return this.#values.get(name.toLowerCase()) ?? [];
  }

  has(name) {
    return this.#values.has(name.toLowerCase());
  }

  set(name, values) {
    const key = this.#changed(name);
    if (key === "content-length" && values.length > 1) throw { tag: "invalid-syntax" };
    const checked = values.map(valued);
    this.#remove(key);
    if (checked.length > 0) this.#keep(key, checked);
  }

  delete(name) {
    this.#remove(this.#changed(name));
  }

  append(name, value) {
    const key = this.#changed(name);
    const checked = valued(value);
    if (key === "content-length" && this.#values.has(key)) throw { tag: "invalid-syntax" };
    this.#keep(key, [checked]);
  }

  entries() {
    return [...this.#values].flatMap(([name, values]) => values.map((value) => [name, value]));
  }

  clone() {
    const fields = new Fields();
    for (const [name, values] of this.#values) fields.#keep(name, values);
    return fields;
  }

  /** The length that a guest promised: a number, `null` without one, `undefined` where it is none. */
  length() {
    const values = this.get("content-length");
    if (values.length === 0) return null;
    const text = String.fromCharCode(...values[0]);
    return values.length === 1 && /^[0-9]+$/.test(text) ? Number(text) : undefined;
  }

  /** As a browser takes them. */
  headers() {
    const headers = new Headers();
    for (const [name, value] of this.entries()) headers.append(name, String.fromCharCode(...value));
    return headers;
  }

  #changed(name) {
    const key = named(name);
    if (this.#immutable) throw { tag: "immutable" };
    return key;
  }

  #remove(key) {
    const values = this.#values.get(key) ?? [];
    for (const value of values) this.#bytes -= value.length + VALUE_BYTES;
    if (this.#values.delete(key)) this.#bytes -= key.length + NAME_BYTES;
  }

  #keep(key, values) {
    const known = this.#values.get(key);
    if (!known) this.#bytes += key.length + NAME_BYTES;
    for (const value of values) this.#bytes += value.length + VALUE_BYTES;
    if (this.#bytes > FIELDS_BYTES_MAX) throw new Error(`more than ${FIELDS_BYTES_MAX} bytes of header fields`);
    this.#values.set(key, [...(known ?? []), ...values]);
  }
}
