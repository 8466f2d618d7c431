//! Answers to HTTP-01 challenges that are under way.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// What is answered for each token (RFC 8555, 8.3).
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, String>>);

/// A token that is answered for as long as this lives.
#[must_use = "dropped, the token is answered no more"]
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    tokens: Arc<Tokens>,
    token: String,
}

impl Tokens {
    /// Answers a token.
    pub(crate) fn answer(self: &Arc<Self>, token: &str, authorization: &str) -> TokenAnswer {
        self.0.lock().insert(token.to_owned(), authorization.to_owned());
        TokenAnswer { tokens: Arc::clone(self), token: token.to_owned() }
    }

    /// The answer to a token that is under way.
    pub(crate) fn get(&self, token: &str) -> Option<String> {
        self.0.lock().get(token).cloned()
    }
}

impl Drop for TokenAnswer {
    fn drop(&mut self) {
        self.tokens.0.lock().remove(&self.token);
    }
}
