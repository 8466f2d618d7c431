//! `cumulet token`: who may do what on a node.

mod out;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use cumulet_node::usage::rfc3339;
use cumulet_spec::api::{NewToken, TokenMade, TokenView};
use cumulet_spec::id::TenantId;
use cumulet_spec::quantity::parse_duration;
use cumulet_spec::sensitive::Sensitive;
use cumulet_spec::token::{Scope, TokenId, TokenName};
use http::Method;
use serde_json::json;

use crate::client::{Client, NodeArgs, Resource};
use crate::command::Ended;
use crate::command::token::out::Out;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table;
use crate::terminal::Terminal;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Make, list and remove the tokens by which a node knows people and programs
#[derive(Debug, Args)]
#[command(after_help = "\
A token reaches one tenant, or with --whole-node every one. `read` sees what is there; `deploy` also deploys, changes traffic and \
removes; `admin` also makes tokens. A token is shown once, when it is made: the node keeps only a hash of it.

Examples:
  cumulet token new ci --tenant acme --expires 90d --out ci.token
  cumulet token new dashboard --scope read --whole-node
  cumulet token list
  cumulet token remove k3v9x2m4q8w1")]
pub(crate) struct Token {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    node: NodeArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token, and print it
    New(New),
    /// List the tokens, without their secrets
    List {
        /// Only those of this tenant
        #[arg(long, value_name = "T", value_parser = TenantId::parse)]
        tenant: Option<TenantId>,
    },
    /// Remove a token: from then on it opens nothing
    Remove {
        /// Its id, as it is listed
        #[arg(value_name = "ID", value_parser = TokenId::parse)]
        id: TokenId,
    },
}

/// What the token is to be.
#[derive(Debug, Args)]
struct New {
    /// What people call it
    #[arg(value_name = "NAME", value_parser = TokenName::parse)]
    name: TokenName,
    /// What it may do
    #[arg(long, value_name = "SCOPE", value_enum, default_value_t = ScopeFlag::Deploy)]
    scope: ScopeFlag,
    /// The tenant whose things it reaches
    #[arg(long, value_name = "T", value_parser = TenantId::parse, default_value = "local")]
    tenant: TenantId,
    /// Let it reach every tenant, and the node itself
    #[arg(long, conflicts_with = "tenant")]
    whole_node: bool,
    /// How long it is valid, such as 12h or 90d [default: until it is removed]
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,
    /// Write it to this new file, which only you may read, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a token may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeFlag {
    Read,
    Deploy,
    Admin,
}

impl ScopeFlag {
    fn scope(self) -> Scope {
        match self {
            Self::Read => Scope::Read,
            Self::Deploy => Scope::Deploy,
            Self::Admin => Scope::Admin,
        }
    }
}

impl Token {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.node, terminal)?;
        match self.action {
            Action::New(new) => make(&client, new, terminal).await?,
            Action::List { tenant } => list(&client, tenant.as_ref(), terminal).await?,
            Action::Remove { id } => {
                let removed = client.delete(&tokens().then(id.as_str())).await;
                removed.map_err(|error| error.failure(format!("the token {id} was not removed")))?;
                if terminal.is_json() {
                    terminal.json(&json!({ "removed": id.as_str() }));
                } else {
                    terminal.done(&format!("the token {id} is removed"));
                }
            }
        }
        Ok(Exit::DONE)
    }
}

fn tokens() -> Resource {
    Resource::new(["tokens"])
}

async fn make(client: &Client, new: New, terminal: Terminal) -> Result<(), Box<Failure>> {
    // Before the token is made: it is shown once, and would be lost if there were no place for it.
    let out = new.out.as_deref().map(Out::create).transpose()?;
    let request = NewToken {
        name: new.name.to_string(),
        tenant: (!new.whole_node).then_some(new.tenant),
        scope: new.scope.scope(),
        expires_in_s: new.expires.map(|time| time.as_secs()),
    };
    let made = client.send(Method::POST, &tokens(), &request).await;
    let made: TokenMade = made.map_err(|error| error.failure(format!("the token `{}` was not made", new.name)))?;
    let TokenMade { token, secret } = made;
    let secret = Sensitive::new(secret);
    match out {
        Some(out) => {
            let path = out.keep(&secret)?;
            if terminal.is_json() {
                terminal.json(&json!({ "token": token, "file": path.display().to_string() }));
            } else {
                terminal.done(&format!("the token {} is in {}", token.who.id, path.display()));
            }
        }
        None if terminal.is_json() => terminal.json(&json!({ "token": token, "secret": secret.reveal() })),
        None => {
            terminal.data(secret.reveal());
            terminal.note("this is the only time that it is shown");
        }
    }
    Ok(())
}

async fn list(client: &Client, tenant: Option<&TenantId>, terminal: Terminal) -> Result<(), Box<Failure>> {
    let resource = tenant.map_or_else(tokens, |tenant| tokens().asking("tenant", tenant));
    let listed = client.list(&resource).await;
    let listed: Vec<TokenView> = listed.map_err(|error| error.failure("cannot list the tokens"))?;
    if terminal.is_json() {
        terminal.json(&json!({ "tokens": listed }));
        return Ok(());
    }
    let seconds = |time_us: u64| rfc3339(time_us / 1_000_000 * 1_000_000);
    let rows = listed.iter().map(|one| {
        let reach = one.who.tenant.as_ref().map_or_else(|| "(whole node)".to_owned(), ToString::to_string);
        let expires = one.expires_us.map_or_else(|| "never".to_owned(), seconds);
        let scope = one.who.scope.label().to_owned();
        [one.who.id.clone(), one.who.name.clone(), reach, scope, seconds(one.made_us), one.by.clone(), expires]
    });
    terminal.data(&table::of_names(["ID", "NAME", "TENANT", "SCOPE", "MADE", "BY", "EXPIRES"], rows).join("\n"));
    Ok(())
}

/// A time of at least a second, in days too.
fn lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time of a second or more, such as `12h` or `90d`".to_owned();
    let time = match text.strip_suffix('d') {
        Some(days) => days.parse().ok().and_then(|days| DAY.checked_mul(days)),
        None => parse_duration(text).ok(),
    };
    time.filter(|time| time.as_secs() > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes() {
        for (text, seconds) in [("1s", 1), ("12h", 43_200), ("90d", 7_776_000)] {
            assert_eq!(lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "d", "0d", "-1d", "1.5d", "1w", "90", "4294967296d"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
