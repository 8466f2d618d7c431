//! Who did something.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{TokenId, TokenName};

/// Who did something, written `node`, `anonymous` or `token:ID NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The node itself, for example when it takes back a revision that fails.
    Node,
    /// Somebody without a token, or with one that is none.
    Anonymous,
    /// Whoever holds a token.
    Token {
        /// The token.
        id: TokenId,
        /// What it was called then.
        name: TokenName,
    },
}

/// The text names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("names nobody: `node`, `anonymous` or `token:ID NAME`")]
pub struct ActorError;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.pad("node"),
            Self::Anonymous => f.pad("anonymous"),
            Self::Token { id, name } => write!(f, "token:{id} {name}"),
        }
    }
}

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        match text {
            "node" => Ok(Self::Node),
            "anonymous" => Ok(Self::Anonymous),
            token => {
                let (id, name) =
                    token.strip_prefix("token:").and_then(|rest| rest.split_once(' ')).ok_or(ActorError)?;
                let id = id.parse().map_err(|_not_an_id| ActorError)?;
                Ok(Self::Token { id, name: name.parse().map_err(|_not_a_name| ActorError)? })
            }
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back() {
        for text in ["node", "anonymous", "token:abcd1234 ci", "token:abcd1234 the shop of acme"] {
            assert_eq!(text.parse::<Actor>().unwrap().to_string(), text);
        }
        for bad in ["", "Node", "token:", "token:abcd1234", "token:abcd1234 ", "token:abc ci", "ci"] {
            assert!(bad.parse::<Actor>().is_err(), "{bad:?}");
        }
    }
}
