// The component as a function from a Request to a Response. Nothing that a guest does is kept for the next one.

import { instantiate } from "./component.js";
import { settings } from "./settings.js";
import { Output, cli } from "./wasi/cli.js";
import { Clock } from "./wasi/clocks.js";
import { config } from "./wasi/config.js";
import { denied } from "./wasi/denied.js";
import { GuestError } from "./wasi/guest_error.js";
import { BODY_BYTES_MAX, IncomingRequest, ResponseOutparam, http } from "./wasi/http.js";
import { io } from "./wasi/io.js";
import { random } from "./wasi/random.js";

export { GuestError, settings };

const compiled = new Map();

/** A file of the component, compiled once. */
function compile(name) {
  if (!compiled.has(name)) {
    const module = fetched(name);
    compiled.set(name, module);
    // What could not be had is tried again.
    module.catch(() => compiled.delete(name));
  }
  return compiled.get(name);
}

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`cannot load ${name}: the server answered ${response.status}`);
  // Some servers do not know the type, without which a browser compiles only what it has in memory.
  const isNamed = response.headers.get("content-type")?.startsWith("application/wasm");
  return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** Fetches and compiles everything; without it the first request does. */
export async function load() {
  await Promise.all(settings.modules.map(compile));
}

/**
 * Gives a Request to the component, in an instance of its own, and resolves to the Response.
 *
 * `output` gets each line that the component prints, after the name of the stream. Rejects with a GuestError where the
 * component gave no response. The instance runs where this is called: in a page it holds up the page, in a worker it does not.
 */
export async function handle(request, { output = print } = {}) {
  const body = await request.blob();
  if (body.size > BODY_BYTES_MAX) throw new GuestError("too-large", `the body of the request has more than ${BODY_BYTES_MAX} bytes`);
  const incoming = new IncomingRequest(request, new Uint8Array(await body.arrayBuffer()));
  await load();
  const printed = new Output(output);
  const answer = new ResponseOutparam();
  let ended;
  try {
    const component = await instantiate(compile, imports(printed));
    component.incomingHandler.handle(incoming, answer);
  } catch (error) {
    ended = error;
  }
  printed.finish();
  return answer.response(request.method, ended);
}

function imports(output) {
  const clock = new Clock(settings.timeMs);
  return { ...io, ...clock.imports(), ...random, ...cli(settings.environment, output), ...http, ...config(settings.config), ...denied };
}

function print(stream, line) {
  if (stream === "stderr") console.warn(line);
  else console.log(line);
}
