//! Docker's configuration, as `docker login` and its helpers leave it, and as they must not.

use super::*;
use std::fs;

fn in_folder(config: &str) -> (tempfile::TempDir, Credentials) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config).unwrap();
    let variables = BTreeMap::from([("DOCKER_CONFIG".to_owned(), folder.path().to_str().unwrap().to_owned())]);
    (folder, Credentials::of_docker(&variables))
}

fn find(config: &str, registry: &str) -> Result<Option<(String, String)>, String> {
    let (_folder, credentials) = in_folder(config);
    let found = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = found.block_on(credentials.find(registry));
    found
        .map(|found| {
            found.map(|found| match found {
                Credential::Password { user, password } => (user, password.reveal().to_owned()),
                Credential::IdentityToken(token) => (String::new(), token.reveal().to_owned()),
            })
        })
        .map_err(|error| format!("{}: {error:?}", error.kind))
}

#[test]
fn a_kept_password_is_found_by_any_name_of_its_registry() {
    let me = || Ok(Some(("me".to_owned(), "hunter2:x".to_owned())));
    // me:hunter2:x
    let auth = r#"{"auth":"bWU6aHVudGVyMjp4"}"#;
    for (name, registry) in [
        ("r.example", "r.example"),
        ("https://r.example", "r.example"),
        ("https://r.example/v2/", "r.example"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
    ] {
        assert_eq!(find(&format!(r#"{{"auths":{{"{name}":{auth}}}}}"#), registry), me(), "{name}");
    }
    let plain = r#"{"auths":{"r.example":{"username":"me","password":"hunter2:x"}}}"#;
    assert_eq!(find(plain, "r.example"), me());
    let token = r#"{"auths":{"r.example":{"auth":"bWU6eA==","identitytoken":"t0ken"}}}"#;
    assert_eq!(find(token, "r.example"), Ok(Some((String::new(), "t0ken".to_owned()))));
}

#[test]
fn where_nothing_is_kept_there_is_nothing() {
    for config in
        ["{}", r#"{"auths":{}}"#, r#"{"auths":{"other.example":{"auth":"bWU6eA=="}}}"#, r#"{"auths":{"r.example":{}}}"#]
    {
        assert_eq!(find(config, "r.example"), Ok(None), "{config}");
    }
    let none = Credentials::of_docker(&BTreeMap::new());
    assert!(none.file.is_none());
    let home = Credentials::of_docker(&BTreeMap::from([("HOME".to_owned(), "/h".to_owned())]));
    assert_eq!(home.file.unwrap(), Path::new("/h/.docker/config.json"));
}

#[test]
fn what_is_wrong_is_told_without_a_password() {
    for config in [
        "hunter2",
        r#"{"auths":{"r.example":{"auth":"aHVudGVyMg=="}}}"#,
        r#"{"auths":{"r.example":{"auth":"hunter2 hunter2"}}}"#,
        r#"{"auths":{"r.example":{"auth":["hunter2"]}}}"#,
        r#"{"credsStore":"../hunter"}"#,
        r#"{"credsStore":"no-such-program-anywhere"}"#,
    ] {
        let error = find(config, "r.example").unwrap_err();
        assert!(!error.contains("hunter2"), "{config}: {error}");
    }
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
    assert!(find(&large, "r.example").unwrap_err().contains("larger"));
}
