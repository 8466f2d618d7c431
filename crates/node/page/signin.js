// The way in.

import { h, say } from "./dom.js";

/** The form; `done` gets who signed in. */
export function signIn(client, done) {
  const field = h("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", autocapitalize: "off", required: true, placeholder: "cumulet_…", "aria-describedby": "hint wrong" });
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const wrong = h("p", { id: "wrong", class: "wrong", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(wrong, "");
    try {
      const who = await client.signIn(field.value.trim());
      field.value = "";
      done(who);
    } catch (problem) {
      say(wrong, problem.status === 429 ? "Too many attempts from here. Wait a few seconds." : problem.message);
      field.select();
      field.focus();
    } finally {
      button.disabled = false;
    }
  };
  const form = h("form", { class: "card signin", submit, method: "post", action: "/ui/session" },
    h("img", { src: "/ui/icon.svg", alt: "", width: 56, height: 56 }), h("h1", {}, "cumulet"),
    h("label", { for: "token" }, "Token"), field, wrong, button,
    h("p", { id: "hint", class: "quiet" }, "The first token of a node is in its data folder, in ", h("code", {}, "admin.token"), ". A token of scope ", h("code", {}, "read"), " sees everything here and changes nothing."));
  return { element: h("div", { class: "gate" }, form), focus: () => field.focus() };
}
