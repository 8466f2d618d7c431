//! The admin API is as its description says, also for requests that nobody would think of.

use std::process::Stdio;

use anyhow::ensure;
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::{paths, random};
use cumulet_servers::Schemathesis;
use serde_json::json;

/// Requests that are made up for each place, besides those at the edges of what it takes.
const EXAMPLES: &str = "15";
/// The same requests each time, unless a variable says otherwise: what others find by chance, they can have again.
const SEED: u64 = 7;
/// What the description cannot say: which names, digests and manifests there are, so that most of what fits it is refused.
const NOT_CHECKED: &str = "positive_data_acceptance";

#[test]
fn the_admin_api_keeps_to_its_description() -> anyhow::Result<()> {
    let folder = paths::repository().join("tests/contract");
    let Some(tool) = Schemathesis::find(&folder) else {
        return Schemathesis::left_out("the admin API against its description");
    };
    let seed = random::seed_or(SEED);
    eprintln!("CUMULET_SEED={seed}");
    let fleet = Fleet::new("[tenant.acme]\n")?;
    let server = fleet.serve()?;
    let admin = Admin::first(server.admin_address(), &fleet.data())?;
    // A token of its own: the first one is not known to whoever removes tokens.
    let asked = json!({ "name": "contract", "scope": "admin" });
    let made = admin.call("POST", "/v1/tokens", Some(&asked))?.expect(201)?;
    let token = made["token"].as_str().unwrap_or_default();
    let scratch = tempfile::tempdir()?;
    let mut command = tool.command(scratch.path());
    command.arg("--config-file").arg(folder.join("schemathesis.toml").canonicalize()?);
    command.arg("run").arg(format!("http://{}/v1/openapi.json", server.admin_address()));
    command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", &seed.to_string()]);
    command.args(["--exclude-checks", NOT_CHECKED, "--warnings", "off", "--no-color", "--request-timeout", "60"]);
    let output = command.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    server.stop()
}
