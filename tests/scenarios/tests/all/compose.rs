//! Components that are linked into one: what each was granted stays its own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// A manifest of three components: `wrap` stands before `front`, which asks `auth`. Each has the grants that are given.
fn manifest(folder: &Path, front: &str, auth: &str) -> anyhow::Result<std::path::PathBuf> {
    let guest = |file: &str| paths::guest(file).map(|path| path.display().to_string());
    let text = format!(
        r#"manifest = 1
[app]
name = "linked"
[component.wrap]
source = "{wrap}"
[component.wrap.link]
"wasi:http/incoming-handler" = "front"
[component.front]
source = "{front_file}"
[component.front.link]
"acme:auth/verify" = "auth"
[component.front.grant]
{front}
[component.auth]
source = "{auth_file}"
[component.auth.grant]
{auth}
[[trigger.http]]
route = "/*"
component = "wrap"
"#,
        wrap = guest("linked_wrap.wasm")?,
        front_file = guest("linked_front.wasm")?,
        auth_file = guest("linked_auth.wasm")?,
    );
    let path = folder.join("cumulet.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Serves it. A store that a component imports and was not granted would be refused before anything runs; what it meets
/// then is seen with `--observe`.
fn served(folder: &Path, front: &str, auth: &str) -> anyhow::Result<Server> {
    let manifest = manifest(folder, front, auth)?;
    let observed = format!("--observe={}", folder.join("observed.toml").display());
    Server::up(&manifest, &[observed.as_str()])
}

fn get(server: &Server, path: &str) -> anyhow::Result<String> {
    let reply = server.get(path, &[])?;
    ensure!(reply.status() == 200, "{path}: {reply:?}");
    Ok(reply.text())
}

#[test]
fn a_request_goes_through_all_three() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "", "keyvalue = [\"users\"]")?;
    ensure!(get(&server, "/?token=token-of-ada")? == "ada was here 1 times");
    ensure!(get(&server, "/?token=token-of-ada")? == "ada was here 2 times");
    ensure!(get(&server, "/?token=nonsense")? == "refused: \"nonsense\" is no token");
    ensure!(server.get("/deny", &[])?.status() == 403);
    server.stop()
}

/// Each capability is granted to one of the two neighbours; then to the other.
#[test]
fn what_one_was_granted_the_other_does_not_have() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            drop(stream.read(&mut [0; 1024]));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        }
    });
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("assets"))?;
    std::fs::write(folder.path().join("assets/a.txt"), "an asset")?;
    let all = format!(
        "env = {{ WHO = \"me\" }}\nkeyvalue = [\"users\"]\nblobstore = [\"users\"]\nsqlite = [\"users\"]\n\
         config = {{ greeting = \"hello\" }}\n\
         file = [{{ from = \"assets\", at = \"/assets\" }}]\nhttp = [\"http://127.0.0.1:{port}\"]\n\
         network = [\"tcp:127.0.0.1:{port}\", \"udp:127.0.0.1:{port}\", \"tcp:localhost:{port}\"]"
    );
    let probes = [
        ("env".to_owned(), "[(\"WHO\", \"me\")]", "[]"),
        ("files+/assets/a.txt".to_owned(), "Ok(\"an asset\")", "Err(NotFound)"),
        ("keyvalue+users".to_owned(), "Ok(false)", "Error::AccessDenied"),
        ("blobs+users".to_owned(), "Ok(false)", "access denied: the container \"users\" is not granted"),
        ("sqlite+users".to_owned(), "Ok(1)", "Error::AccessDenied"),
        ("config+greeting".to_owned(), "Ok(Some(\"hello\"))", "Ok(None)"),
        (format!("outbound+127.0.0.1:{port}"), "status 200", "ErrorCode::HttpRequestDenied"),
        (format!("network+{port}"), "connected", "access-denied"),
        (format!("datagram+{port}"), "opened", "access-denied"),
        ("lookup+localhost".to_owned(), "resolved", "access-denied"),
    ];
    for (granted, denied, front, auth) in [("own", "auth", all.as_str(), ""), ("auth", "own", "", all.as_str())] {
        let server = served(folder.path(), front, auth)?;
        for (probe, with, without) in &probes {
            let found = get(&server, &format!("/?{granted}={probe}"))?;
            ensure!(found == *with, "{granted} has {probe}: {found}");
            let found = get(&server, &format!("/?{denied}={probe}"))?;
            ensure!(found == *without, "{denied} has no {probe}: {found}");
        }
        server.stop()?;
    }
    Ok(())
}

#[test]
fn without_the_grant_of_a_store_nothing_is_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let stores = ["keyvalue", "blobstore", "sqlite"];
    let granted: String = stores.iter().map(|store| format!("{store} = [\"users\"]\n")).collect();
    let manifest = manifest(folder.path(), "", &granted)?;
    let refused = Server::up(&manifest, &[]).unwrap_err().to_string();
    ensure!(refused.contains("component `front`"), "{refused}");
    for store in stores {
        ensure!(refused.contains(&format!("no `{store}` is granted")), "{refused}");
    }
    Ok(())
}

/// Requests, responses and their bodies pass through as handles; the environment is that of the component it was granted to.
#[test]
fn middleware_in_wasi_0_3() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let text = format!(
        "manifest = 1\n[app]\nname = \"linked\"\n[component.wrap]\nsource = {:?}\n[component.wrap.link]\n\
         \"wasi:http/handler\" = \"front\"\n[component.front]\nsource = {:?}\n[component.front.grant]\n\
         env = {{ WHO = \"front\" }}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"wrap\"\n",
        paths::guest("linked_wrap_p3.wasm")?,
        paths::guest("hostile_p3.wasm")?,
    );
    let manifest = folder.path().join("cumulet.toml");
    std::fs::write(&manifest, text)?;
    let server = Server::up(&manifest, &[])?;
    ensure!(get(&server, "/env")?.trim() == "env WHO=front");
    let mut connection = server.connect()?;
    connection.request("POST", "/echo", &["content-length: 9"])?;
    connection.send(b"passed on")?;
    let reply = connection.reply("POST")?;
    ensure!(reply.status() == 200 && reply.text() == "passed on", "{reply:?}");
    server.stop()
}

/// Over the admin API: the members are sent, the node composes; what does not fit is told to who deploys.
#[test]
fn a_node_composes_what_is_deployed() -> anyhow::Result<()> {
    let fleet = Fleet::new("[tenant.acme]\n")?;
    let server = fleet.serve()?;
    let admin = Admin::first(server.admin_address(), &fleet.data())?;
    let upload = |file: &str| admin.upload("acme", &std::fs::read(paths::guest(file)?)?);
    let (front, auth, stores) = (upload("linked_front.wasm")?, upload("linked_auth.wasm")?, upload("stores.wasm")?);
    let manifest = "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = \"front.wasm\"\n[component.front.link]\n\
                    \"acme:auth/verify\" = \"auth\"\n[component.auth]\nsource = \"auth.wasm\"\n[component.auth.grant]\n\
                    keyvalue = [\"users\"]\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n";
    let request = |auth: &dyn std::fmt::Display| json!({ "manifest": manifest, "components": { "front": front.to_string(), "auth": auth.to_string() } });
    let live = admin.deploy("acme", "shop", &request(&auth))?;
    let phase = |deploy: &Value| deploy["phase"].as_str().unwrap_or_default().to_owned();
    ensure!(phase(&live) == "live", "{live}");
    let get = |path: &str| -> anyhow::Result<String> {
        let mut connection = server.connect()?;
        connection.request_to("shop.acme.localhost", ("GET", path), &[])?;
        Ok(connection.reply("GET")?.text())
    };
    ensure!(get("/?token=token-of-ada")? == "ada was here 1 times");
    ensure!(get("/?own=keyvalue+users")? == "Error::AccessDenied");
    let begun = admin.begin("acme", "shop", &request(&stores))?;
    let failed = admin.ended(&begun)?;
    let message = failed["failure"]["message"].as_str().context("a failure")?;
    ensure!(message.contains("`front` imports `acme:auth/verify`, and `auth` does not export it"), "{failed}");
    ensure!(get("/?token=token-of-ada")? == "ada was here 2 times");
    server.stop()
}
