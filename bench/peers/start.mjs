// What the JavaScript template answers, in workerd: its routes without the stores and servers that some of them need.
import { route } from "./routes.js";

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const found = route(request.method, pathname, await request.text());
    const { status, text, json } = typeof found === "string" ? { status: 501, text: found } : found;
    const [type, body] = json ? ["application/json", `${JSON.stringify(json)}\n`] : ["text/plain; charset=utf-8", text];
    return new Response(body, { status, headers: { "content-type": type } });
  },
};
