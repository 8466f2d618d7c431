// wasi:cli: the environment that was granted, and what a guest prints.

import { Exit } from "./guest_error.js";
import { InputStream, OutputStream } from "./io.js";

/** The most that is kept of what a guest prints during one request, in bytes. */
const OUTPUT_BYTES_MAX = 1 << 20;
/** Where a line is cut, in characters. */
const LINE_CHARS_MAX = 4096;

/** The lines that one guest prints, on two streams. */
export class Output {
  #tell;
  #left = OUTPUT_BYTES_MAX;
  #streams = ["stdout", "stderr"].map((name) => ({ name, decoder: new TextDecoder(), begun: "" }));

  /** `tell` gets the name of a stream, and a line of it. */
  constructor(tell) {
    this.#tell = tell;
  }

  #write(stream, bytes) {
    const kept = bytes.subarray(0, this.#left);
    this.#left -= kept.length;
    const lines = (stream.begun + stream.decoder.decode(kept, { stream: true })).split("\n");
    stream.begun = lines.pop().slice(0, LINE_CHARS_MAX);
    for (const line of lines) this.#tell(stream.name, line.slice(0, LINE_CHARS_MAX));
    if (kept.length < bytes.length && this.#left === 0) {
      this.#left = -1;
      this.#tell("stderr", `more than ${OUTPUT_BYTES_MAX} bytes were printed; the rest is left out`);
    }
  }

  /** Tells what was begun when the guest ended. */
  finish() {
    for (const stream of this.#streams) {
      const rest = stream.begun + stream.decoder.decode();
      if (rest) this.#tell(stream.name, rest);
      stream.begun = "";
    }
  }

  stream(index) {
    return new OutputStream((bytes) => { if (this.#left >= 0) this.#write(this.#streams[index], bytes); });
  }
}

class TerminalInput {}
class TerminalOutput {}

/** What a component imports. */
export function cli(environment, output) {
  const nothing = () => undefined;
  return {
    "wasi:cli/environment": { getEnvironment: () => environment, getArguments: () => [], initialCwd: nothing },
    "wasi:cli/exit": {
      exit: (status) => { throw new Exit(status.tag === "ok" ? 0 : 1); },
      exitWithCode: (code) => { throw new Exit(code); },
    },
    "wasi:cli/stdin": { getStdin: () => new InputStream(new Uint8Array(0)) },
    "wasi:cli/stdout": { getStdout: () => output.stream(0) },
    "wasi:cli/stderr": { getStderr: () => output.stream(1) },
    "wasi:cli/terminal-input": { TerminalInput },
    "wasi:cli/terminal-output": { TerminalOutput },
    "wasi:cli/terminal-stdin": { getTerminalStdin: nothing },
    "wasi:cli/terminal-stdout": { getTerminalStdout: nothing },
    "wasi:cli/terminal-stderr": { getTerminalStderr: nothing },
  };
}
