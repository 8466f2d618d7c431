//! Proxy variables of the environment: nobody reads them.

use super::*;
use std::process::Stdio;
use tokio::process::Command;

const ORIGIN: &str = "CUMULET_TEST_ORIGIN";
const PROXIES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The test calls itself in a process with such variables, because a process cannot set its own while others read them.
#[tokio::test]
async fn proxy_variables_do_nothing() {
    if let Some(origin) = std::env::var_os(ORIGIN) {
        let origin = origin.into_string().unwrap();
        assert_eq!(text(&outbound(&[&origin]), get(&origin)).await.unwrap(), "keys");
        return;
    }
    let (server, proxy) = (Server::plain().await, Server::plain().await);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "outbound::tests::proxy::proxy_variables_do_nothing"]);
    child.env_remove("no_proxy").env_remove("NO_PROXY").env(ORIGIN, server.origin());
    child.envs(PROXIES.map(|name| (name, proxy.origin())));
    let output = child.stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!((server.connections(), proxy.connections()), (1, 0));
}
