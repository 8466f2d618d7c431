// wasi:http: a request that is there as a whole, and a response that is kept until it is whole.

import { Fields } from "./fields.js";
import { Exit, GuestError } from "./guest_error.js";
import { InputStream, OutputStream, Pollable, failed } from "./io.js";

/** The largest body of a request or a response, in bytes. */
export const BODY_BYTES_MAX = 100 << 20;

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
/** Statuses of responses that have no body. */
const BODILESS = [101, 204, 205, 304];

/** What a method of the interface says with `result`: the value, or an error without one. */
function once(value) {
  if (value === null) throw undefined;
  return value;
}

class FutureTrailers {
  #taken = false;

  subscribe() {
    return new Pollable();
  }

  get() {
    if (this.#taken) return { tag: "err", val: undefined };
    this.#taken = true;
    return { tag: "ok", val: { tag: "ok", val: undefined } };
  }
}

class IncomingBody {
  #bytes;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  stream() {
    const stream = new InputStream(once(this.#bytes));
    this.#bytes = null;
    return stream;
  }

  static finish(_body) {
    return new FutureTrailers();
  }
}

/** A request of the page, as a guest sees it. */
export class IncomingRequest {
  #method;
  #url;
  #headers;
  #body;

  constructor(request, bytes) {
    this.#method = request.method;
    this.#url = new URL(request.url);
    const headers = new Headers(request.headers);
    // What a browser adds on the way to a server.
    if (bytes.length > 0 || ["POST", "PUT"].includes(request.method)) headers.set("content-length", String(bytes.length));
    this.#headers = Fields.ofRequest(headers);
    this.#body = new IncomingBody(bytes);
  }

  method() {
    return METHODS.includes(this.#method) ? { tag: this.#method.toLowerCase() } : { tag: "other", val: this.#method };
  }

  pathWithQuery() {
    return this.#url.pathname + this.#url.search;
  }

  scheme() {
    return { tag: this.#url.protocol === "https:" ? "HTTPS" : "HTTP" };
  }

  authority() {
    return this.#url.host;
  }

  headers() {
    return this.#headers;
  }

  consume() {
    const body = once(this.#body);
    this.#body = null;
    return body;
  }
}

class OutgoingBody {
  #promised;
  #pieces = [];
  #bytes = 0;
  #stream = new OutputStream((bytes) => this.#take(bytes));
  #isWhole = false;

  constructor(promised) {
    this.#promised = promised;
  }

  #take(bytes) {
    this.#bytes += bytes.length;
    if (this.#promised !== null && this.#bytes > this.#promised) throw failed("more is written than content-length says");
    if (this.#bytes > BODY_BYTES_MAX) throw new GuestError("host-limit", `the response has more than ${BODY_BYTES_MAX} bytes`);
    // The guest's memory changes.
    this.#pieces.push(bytes.slice());
  }

  write() {
    const stream = once(this.#stream);
    this.#stream = null;
    return stream;
  }

  /** The trailers go no further: a browser's Response has none. */
  static finish(body, _trailers) {
    if (body.#promised !== null && body.#bytes < body.#promised) throw { tag: "HTTP-response-body-size", val: BigInt(body.#bytes) };
    body.#isWhole = true;
  }

  /** All of it; nothing where it broke off. */
  blob() {
    return this.#isWhole ? new Blob(this.#pieces) : null;
  }
}

class OutgoingResponse {
  #status = 200;
  #headers;
  #body = null;

  constructor(headers) {
    this.#headers = headers.fixed();
  }

  statusCode() {
    return this.#status;
  }

  setStatusCode(status) {
    if (status < 100 || status > 999) throw undefined;
    this.#status = status;
  }

  headers() {
    return this.#headers;
  }

  body() {
    const promised = this.#headers.length();
    if (this.#body || promised === undefined) throw undefined;
    this.#body = new OutgoingBody(promised);
    return this.#body;
  }

  /** What a browser makes of it; nothing where its body broke off. */
  made(method) {
    const body = this.#body ? this.#body.blob() : new Blob([]);
    if (!body) return null;
    if (this.#status < 200 || this.#status > 599) throw new GuestError("no-response", `the guest's status is ${this.#status}, and a browser knows 200 to 599`);
    const isBodiless = method === "HEAD" || BODILESS.includes(this.#status);
    return new Response(isBodiless ? null : body, { status: this.#status, headers: this.#headers.headers() });
  }
}

/** Where a guest puts its response. */
export class ResponseOutparam {
  #answer = null;

  static set(param, answer) {
    if (param.#answer) throw new Error("the response was set before");
    param.#answer = answer;
  }

  /** The response; `error` is what ended the guest, if it did not return. As on a node, one that failed gave none. */
  response(method, error) {
    if (error && !(error instanceof Exit && error.status === 0)) throw GuestError.of(error);
    const answer = this.#answer;
    const made = answer?.tag === "ok" ? answer.val.made(method) : null;
    if (made) return made;
    if (answer?.tag === "err") throw new GuestError("no-response", `the guest answered with an error: ${answer.val.tag}`);
    if (answer) throw new GuestError("trap", "the guest did not finish the body of its response");
    throw new GuestError("no-response", "the guest returned no response");
  }
}

class OutgoingRequest {
  #method = { tag: "get" };
  #path;
  #scheme;
  #authority;
  #headers;
  #body = null;

  constructor(headers) {
    this.#headers = headers.fixed();
  }

  method() { return this.#method; }
  setMethod(method) { this.#method = method; }
  pathWithQuery() { return this.#path; }
  setPathWithQuery(path) { this.#path = path; }
  scheme() { return this.#scheme; }
  setScheme(scheme) { this.#scheme = scheme; }
  authority() { return this.#authority; }
  setAuthority(authority) { this.#authority = authority; }
  headers() { return this.#headers; }

  body() {
    if (this.#body) throw undefined;
    this.#body = new OutgoingBody(null);
    return this.#body;
  }
}

class RequestOptions {
  #times = {};

  connectTimeout() { return this.#times.connect; }
  setConnectTimeout(time) { this.#times.connect = time; }
  firstByteTimeout() { return this.#times.firstByte; }
  setFirstByteTimeout(time) { this.#times.firstByte = time; }
  betweenBytesTimeout() { return this.#times.betweenBytes; }
  setBetweenBytesTimeout(time) { this.#times.betweenBytes = time; }
}

/** Of requests that are never sent. */
class FutureIncomingResponse {}
class IncomingResponse {}

function refuse() {
  throw { tag: "HTTP-request-denied" };
}

export const http = {
  "wasi:http/types": {
    Fields, FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingRequest, IncomingResponse, OutgoingBody, OutgoingRequest,
    OutgoingResponse, RequestOptions, ResponseOutparam, httpErrorCode: () => undefined,
  },
  "wasi:http/outgoing-handler": { handle: refuse },
};
