//! Scenarios: the real binary against hostile and ordinary guests.

#[path = "all/ahead.rs"]
mod ahead;
#[path = "all/bad_input.rs"]
mod bad_input;
#[path = "all/browser.rs"]
mod browser;
#[path = "all/capabilities.rs"]
mod capabilities;
#[path = "all/cgi.rs"]
mod cgi;
#[path = "all/compose.rs"]
mod compose;
#[path = "all/contract.rs"]
mod contract;
#[path = "all/examples.rs"]
mod examples;
#[path = "all/fresh.rs"]
mod fresh;
#[path = "all/http.rs"]
mod http;
#[path = "all/http2.rs"]
mod http2;
#[path = "all/initialised.rs"]
mod initialised;
#[path = "all/inside.rs"]
mod inside;
#[path = "all/kill.rs"]
mod kill;
#[path = "all/lifecycle.rs"]
mod lifecycle;
#[path = "all/limits.rs"]
mod limits;
#[path = "all/logs.rs"]
mod logs;
#[path = "all/node.rs"]
mod node;
#[path = "all/observe.rs"]
mod observe;
#[path = "all/operator.rs"]
mod operator;
#[path = "all/page.rs"]
mod page;
#[path = "all/polyglot.rs"]
mod polyglot;
#[path = "all/reuse.rs"]
mod reuse;
#[path = "all/rollout.rs"]
mod rollout;
#[path = "all/run.rs"]
mod run;
#[path = "all/run_text.rs"]
mod run_text;
#[path = "all/ship.rs"]
mod ship;
#[path = "all/sizes.rs"]
mod sizes;
#[path = "all/stores.rs"]
mod stores;
#[path = "all/streaming.rs"]
mod streaming;
#[path = "all/templates.rs"]
mod templates;
#[path = "all/tls.rs"]
mod tls;
#[path = "all/together.rs"]
mod together;
#[path = "all/top.rs"]
mod top;
#[path = "all/values.rs"]
mod values;
#[path = "all/wasm3.rs"]
mod wasm3;
