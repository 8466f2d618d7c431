//! Sessions of the page: a token, exchanged for two halves of which neither does anything alone.
//!
//! A browser sends the cookie half to every port of its host, also to apps that are served there, and with requests that
//! other pages began. The proof half is kept by the page's own origin, which includes the port, and only its own script
//! can put it into a header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cumulet_spec::token::TokenId;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

/// Sessions at once; with one more, the one that was used longest ago ends.
const SESSIONS_MAX: usize = 256;
/// Sessions of one token at once, so that nobody who has one can end those of others.
const SESSIONS_OF_TOKEN_MAX: usize = 16;
/// How long a session lasts that nobody uses, in microseconds: an hour.
const IDLE_US: u64 = 3_600_000_000;
/// How long a session lasts at most, in microseconds: twelve hours.
pub(super) const LIFE_US: u64 = 12 * IDLE_US;

/// The sessions, by the hash of their cookie half. Those of a node end with its process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Hash, Session>>);

type Hash = [u8; 32];

#[derive(Debug, Clone)]
struct Session {
    token: Seen,
    proof: Hash,
    began_us: u64,
    used_us: u64,
}

/// A token that was shown, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: TokenId,
    /// Of its whole text.
    pub(super) hash: Hash,
}

/// What the browser keeps, in two places.
pub(super) struct Halves {
    pub(super) cookie: String,
    pub(super) proof: String,
    /// From when on they do nothing.
    pub(super) ends_us: u64,
}

/// A session does not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum SessionRefused {
    #[error("this session has ended; sign in again")]
    Unknown,
    #[error("a session's cookie came without its proof, or with another's; sign in again")]
    Proof,
}

impl Session {
    fn has_ended(&self, now_us: u64) -> bool {
        now_us >= self.began_us.saturating_add(LIFE_US) || now_us >= self.used_us.saturating_add(IDLE_US)
    }
}

impl Sessions {
    /// Begins a session of a token that was just shown.
    pub(super) fn begin(&self, token: Seen, now_us: u64) -> Halves {
        let (cookie, proof) = (secret(), secret());
        let session = Session { token, proof: hash(&proof), began_us: now_us, used_us: now_us };
        let mut all = self.0.lock();
        all.retain(|_, session| !session.has_ended(now_us));
        while all.values().filter(|other| other.token == session.token).count() >= SESSIONS_OF_TOKEN_MAX {
            end_oldest(&mut all, |other| other.token == session.token);
        }
        while all.len() >= SESSIONS_MAX {
            end_oldest(&mut all, |_| true);
        }
        all.insert(hash(&cookie), session);
        Halves { cookie, proof, ends_us: now_us.saturating_add(LIFE_US) }
    }

    /// The token of a session. The comparison takes as long for a proof that is nearly right as for any other.
    pub(super) fn find(&self, cookie: &str, proof: Option<&str>, now_us: u64) -> Result<Seen, SessionRefused> {
        let mut all = self.0.lock();
        // Looked up by a hash: what a comparison of keys tells of it leads to no cookie.
        let key = hash(cookie);
        let session = all.get_mut(&key).ok_or(SessionRefused::Unknown)?;
        if session.has_ended(now_us) {
            all.remove(&key);
            return Err(SessionRefused::Unknown);
        }
        if !bool::from(session.proof.ct_eq(&hash(proof.unwrap_or_default()))) {
            return Err(SessionRefused::Proof);
        }
        session.used_us = now_us;
        Ok(session.token.clone())
    }

    /// Ends a session, if it is one.
    pub(super) fn end(&self, cookie: &str) {
        self.0.lock().remove(&hash(cookie));
    }
}

fn end_oldest(all: &mut HashMap<Hash, Session>, among: impl Fn(&Session) -> bool) {
    let oldest = all.iter().filter(|(_, session)| among(session)).min_by_key(|(_, session)| session.used_us);
    if let Some(key) = oldest.map(|(key, _)| *key) {
        all.remove(&key);
    }
}

fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<Hash>())
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: u64) -> Seen {
        Seen { id: TokenId::from_bits(name), hash: [u8::try_from(name % 251).unwrap(); 32] }
    }

    #[test]
    fn only_both_halves_admit() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.begin(token(1), 0), sessions.begin(token(2), 0));
        let find = |cookie: &str, proof: Option<&str>| sessions.find(cookie, proof, 1);
        assert_eq!(find(&one.cookie, Some(&one.proof)), Ok(token(1)));
        assert_eq!(find(&other.cookie, Some(&other.proof)), Ok(token(2)));
        assert_eq!(find(&one.cookie, None), Err(SessionRefused::Proof));
        assert_eq!(find(&one.cookie, Some("")), Err(SessionRefused::Proof));
        assert_eq!(find(&one.cookie, Some(&other.proof)), Err(SessionRefused::Proof));
        assert_eq!(find(&one.cookie, Some(&one.cookie)), Err(SessionRefused::Proof));
        assert_eq!(find(&one.proof, Some(&one.cookie)), Err(SessionRefused::Unknown));
        assert_eq!(find("", None), Err(SessionRefused::Unknown));
        sessions.end(&one.cookie);
        assert_eq!(find(&one.cookie, Some(&one.proof)), Err(SessionRefused::Unknown));
        assert_eq!(find(&other.cookie, Some(&other.proof)), Ok(token(2)), "another session ended with it");
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_at_last_in_any_case() {
        let sessions = Sessions::default();
        let Halves { cookie, proof, ends_us } = sessions.begin(token(1), 0);
        let is_there = |now_us| sessions.find(&cookie, Some(&proof), now_us).is_ok();
        let mut now_us = 0;
        while now_us + IDLE_US - 1 < ends_us {
            now_us += IDLE_US - 1;
            assert!(is_there(now_us), "{now_us}");
        }
        assert!(is_there(ends_us - 1) && !is_there(ends_us) && !is_there(ends_us - 1));
        let Halves { cookie, proof, .. } = sessions.begin(token(1), 0);
        // A request without the proof keeps nothing alive.
        assert!(sessions.find(&cookie, None, IDLE_US - 1).is_err());
        assert_eq!(sessions.find(&cookie, Some(&proof), IDLE_US), Err(SessionRefused::Unknown));
        assert_eq!(sessions.0.lock().len(), 0);
    }

    #[test]
    fn sessions_are_bounded_and_nobody_ends_those_of_others_with_one_token() {
        let sessions = Sessions::default();
        let first = sessions.begin(token(0), 0);
        for now_us in 1..=2 * u64::try_from(SESSIONS_MAX).unwrap() {
            sessions.begin(token(1), now_us);
        }
        assert_eq!(sessions.0.lock().len(), SESSIONS_OF_TOKEN_MAX + 1);
        assert!(sessions.find(&first.cookie, Some(&first.proof), 1_000).is_ok());
        for name in 2..2 * u64::try_from(SESSIONS_MAX).unwrap() {
            sessions.begin(token(name), 2_000);
        }
        assert_eq!(sessions.0.lock().len(), SESSIONS_MAX);
    }
}
