//! `cumulet traffic`: which revisions of an app answer, and for how much.

mod flag;

use clap::Args;
use cumulet_spec::api::{AppView, ArmView, HeaderView, TrafficRequest};
use cumulet_spec::id::AppName;
use cumulet_spec::traffic::CookieName;
use http::Method;
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stopwatch::{Stopwatch, display};
use crate::table;
use crate::terminal::Terminal;

pub(super) use flag::percent;

/// Show where an app's traffic goes, or change it
#[derive(Debug, Args)]
#[command(after_help = "\
Without shares and flags it shows what is. Shares add up to 100, and replace those before; header rules and the cookie stay as they \
are unless a flag names them. A rule goes before the shares. With a cookie, a client stays with the revision that it got first.

Examples:
  cumulet traffic shop
  cumulet traffic shop r7=90 r8=10
  cumulet traffic shop r7=100 --header x-beta=yes:r8
  cumulet traffic shop r7=50 r8=50 --sticky
  cumulet traffic shop r8=100 --no-headers --no-sticky")]
pub(crate) struct Traffic {
    /// The app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: AppName,
    /// A revision and its share in percent, such as r7=90
    #[arg(value_name = "REV=N", value_parser = flag::arm)]
    shares: Vec<ArmView>,
    /// Requests with this header go to a revision; may be given more than once, and replaces the rules before
    #[arg(long = "header", value_name = "NAME=VALUE:REV", value_parser = flag::header)]
    headers: Vec<HeaderView>,
    /// Remove the header rules
    #[arg(long, conflicts_with = "headers")]
    no_headers: bool,
    /// Let clients stay with a revision, by a cookie of this name [default: cumulet-revision]
    #[arg(long, value_name = "COOKIE", value_parser = CookieName::parse, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "cumulet-revision")]
    sticky: Option<CookieName>,
    /// Let them go where the shares lead
    #[arg(long, conflicts_with = "sticky")]
    no_sticky: bool,
    #[command(flatten)]
    at: TenantArgs,
}

impl Traffic {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.at.node, terminal)?;
        let resource = Resource::app(&self.at.tenant, &self.app).then("traffic");
        let app: AppView = client
            .get(&resource)
            .await
            .map_err(|error| error.failure(format!("cannot see the traffic of {}", self.app)))?;
        let app = if self.changes() { self.change(&client, &resource, app, terminal).await? } else { app };
        if terminal.is_json() {
            terminal.json(&json!(app));
        } else {
            terminal.data(&lines(&app).join("\n"));
        }
        Ok(Exit::DONE)
    }

    fn changes(&self) -> bool {
        let names = !self.shares.is_empty() || !self.headers.is_empty() || self.sticky.is_some();
        names || self.no_headers || self.no_sticky
    }

    async fn change(
        self,
        client: &Client,
        resource: &Resource,
        before: AppView,
        terminal: Terminal,
    ) -> Result<AppView, Box<Failure>> {
        let keeps_headers = self.headers.is_empty() && !self.no_headers;
        let sticky = self.sticky.map(String::from).or(before.sticky).filter(|_| !self.no_sticky);
        let request = TrafficRequest {
            traffic: if self.shares.is_empty() { before.traffic } else { self.shares },
            headers: if keeps_headers { before.headers } else { self.headers },
            sticky,
            expected_generation: Some(before.generation),
        };
        let stopwatch = Stopwatch::start();
        let app = client
            .send(Method::PUT, resource, &request)
            .await
            .map_err(|error| error.failure(format!("the traffic of {} stays as it is", self.app)))?;
        terminal.done(&format!("switched in {}", display(stopwatch.elapsed())));
        Ok(app)
    }
}

/// The rules, which go first, then the shares.
fn lines(app: &AppView) -> Vec<String> {
    let rules = app
        .headers
        .iter()
        .map(|rule| [rule.revision.clone(), "all".to_owned(), format!("with {}: {}", rule.name, rule.value)]);
    let cookie = app.sticky.as_ref().map_or_else(String::new, |cookie| format!("kept by the cookie {cookie}"));
    let shares = app.traffic.iter().map(|arm| [arm.revision.clone(), format!("{}%", arm.percent), cookie.clone()]);
    table::of_names(["REVISION", "TRAFFIC", "WHICH"], rules.chain(shares))
}
