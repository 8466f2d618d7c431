// The API, by a session: a cookie that scripts cannot read, and a proof that only this origin keeps.

const PROOF = "cumulet-proof";

/** What the API said went wrong. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? (status ? `the node answered ${status}` : "the node does not answer"));
    this.name = "Problem";
    this.status = status;
    this.kind = body?.type;
    this.next = body?.next;
  }
}

/** Calls the API; tells `signed-out` when the session is over. */
export class Client extends EventTarget {
  get isSignedIn() {
    return localStorage.getItem(PROOF) !== null;
  }

  async signIn(token) {
    const answer = await this.#send("POST", "/ui/session", { body: { token } });
    localStorage.setItem(PROOF, answer.proof);
    return answer.who;
  }

  async signOut() {
    try {
      await this.#send("DELETE", "/ui/session", {});
    } finally {
      this.forget();
    }
  }

  forget() {
    localStorage.removeItem(PROOF);
    this.dispatchEvent(new Event("signed-out"));
  }

  get(path, query, signal) {
    const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const text = new URLSearchParams(pairs).toString();
    return this.#call("GET", text ? `${path}?${text}` : path, { signal });
  }

  /** Every entry of a list, up to a bound. */
  async all(path, most, signal) {
    const items = [];
    let after;
    do {
      const page = await this.get(path, { after, limit: Math.min(most, 1000) }, signal);
      items.push(...page.items);
      after = page.next;
    } while (after && items.length < most);
    return { items, more: Boolean(after) };
  }

  put(path, body) {
    return this.#call("PUT", path, { body });
  }

  post(path, body) {
    return this.#call("POST", path, { body });
  }

  async #call(method, path, options) {
    try {
      return await this.#send(method, path, options);
    } catch (problem) {
      if (problem.status === 401) this.forget();
      throw problem;
    }
  }

  async #send(method, path, { body, signal }) {
    const headers = { accept: "application/json" };
    const proof = localStorage.getItem(PROOF);
    if (proof !== null) headers["x-cumulet-csrf"] = proof;
    if (body !== undefined) headers["content-type"] = "application/json";
    if (method === "PUT" || method === "POST") headers["idempotency-key"] = nonce();
    let response;
    try {
      response = await fetch(path, { method, headers, signal, cache: "no-store", redirect: "error", body: body && JSON.stringify(body) });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0);
    }
    const text = await response.text();
    let document = null;
    try {
      document = text ? JSON.parse(text) : null;
    } catch {
      throw new Problem(response.status, { detail: text.slice(0, 200) });
    }
    if (!response.ok) throw new Problem(response.status, document);
    return document;
  }
}

function nonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The place of an app in the API. */
export function place({ tenant, app }, rest = "") {
  return `/v1/tenants/${encodeURIComponent(tenant)}/apps/${encodeURIComponent(app)}${rest}`;
}

/** Waits, unless the view has gone. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const gone = () => { clearTimeout(timer); reject(new DOMException("gone", "AbortError")); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", gone); resolve(); }, ms);
    if (signal?.aborted) gone();
    signal?.addEventListener("abort", gone, { once: true });
  });
}
