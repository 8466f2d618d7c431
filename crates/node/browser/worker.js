// Runs the component away from the page, which can end it.

import { handle, load } from "./app.js";

/** The most lines of what a component prints that are handed over. */
const LINES_MAX = 500;

const ready = load();
ready.then(() => postMessage({ loaded: true }), (error) => postMessage({ unloaded: String(error?.message ?? error) }));

addEventListener("message", async ({ data: { url, method, headers, body } }) => {
  const lines = [];
  const output = (stream, line) => { if (lines.length < LINES_MAX) lines.push({ stream, line }); };
  try {
    await ready;
    const request = new Request(url, { method, headers, body });
    const begun = performance.now();
    const response = await handle(request, { output });
    const took = performance.now() - begun;
    const bytes = await response.arrayBuffer();
    postMessage({ answer: { status: response.status, headers: [...response.headers], bytes, took }, lines }, [bytes]);
  } catch (error) {
    postMessage({ failure: { outcome: error.outcome ?? "request", message: error.message }, lines });
  }
});
