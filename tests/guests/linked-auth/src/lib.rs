//! Exports `acme:auth/verify`, and serves no requests itself.

wit_bindgen::generate!({ world: "answering", path: "../wit" });

use exports::acme::auth::verify::{Guest, User};

struct Auth;

impl Guest for Auth {
    fn check(token: String) -> Result<User, String> {
        let name = token.strip_prefix("token-of-").ok_or_else(|| format!("{token:?} is no token"))?;
        Ok(User { name: name.to_owned(), visits: probes::count("users", name)? })
    }

    fn probe(capability: String) -> String {
        println!("auth was asked for {capability}");
        probes::probe(&capability)
    }
}

export!(Auth);
