//! Sources on other machines: a real registry where this machine has one, and servers that answer what they must not.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

mod all {
    mod hostile;
    mod registry;
    mod server;
    mod url;

    use cumulet_artifact::{Remote, TransferBounds};
    use std::time::Duration;

    /// Nobody in particular, who does not wait between attempts.
    fn remote() -> Remote {
        remote_of(&std::collections::BTreeMap::new())
    }

    fn remote_of(variables: &std::collections::BTreeMap<String, String>) -> Remote {
        let bounds = TransferBounds { pause: Duration::ZERO, ..TransferBounds::default() };
        Remote::new(cumulet_artifact::Credentials::of_docker(variables), bounds).unwrap()
    }

    /// The variables of someone who has logged in at a registry: the name and password are in base64.
    fn logged_in(folder: &std::path::Path, registry: &str, auth: &str) -> std::collections::BTreeMap<String, String> {
        let config = format!("{{\"auths\":{{\"{registry}\":{{\"auth\":\"{auth}\"}}}}}}");
        std::fs::write(folder.join("config.json"), config).unwrap();
        [("DOCKER_CONFIG".to_owned(), folder.to_str().unwrap().to_owned())].into()
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
    }

    /// An error with all of its sources, without the port of this run.
    fn chain(error: &dyn std::error::Error, port: u16) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text.push_str("\n  ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text.replace(&format!(":{port}"), ":PORT")
    }
}
