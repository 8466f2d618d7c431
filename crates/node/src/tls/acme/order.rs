//! One order: challenges answered, and a certificate for it.

use super::answer::{Answer, AnswerError, Answerer};
use cumulet_gateway::CertificateError;
use instant_acme::{Account, AuthorizationStatus, Identifier, NewOrder, Order, OrderStatus, RetryPolicy};
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

/// How long the server may take to look at the answers, and again to make the certificate.
const POLL_TIME_MAX: Duration = Duration::from_secs(120);

/// An order that gave no certificate.
#[derive(Debug, Error)]
pub(super) enum OrderError {
    /// The server refused, or could not be reached.
    #[error("the ACME server gave no certificate")]
    Server(#[source] instant_acme::Error),
    /// The server offers other challenges only.
    #[error("the ACME server does not offer the challenge {0}; configure the other one")]
    NotOffered(&'static str),
    /// The server looked and was not content.
    #[error("the ACME server is not content: {0}")]
    NotContent(String),
    /// The challenge cannot be answered.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// What it gave cannot be shown.
    #[error("what the ACME server gave cannot be used")]
    Useless(#[source] CertificateError),
}

impl From<instant_acme::Error> for OrderError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Server(error)
    }
}

/// Gets a certificate for a host: the chain and its key, in PEM.
///
/// # Cancel safety
/// Dropped, the challenges are answered no more, and the server forgets the order in time.
pub(super) async fn obtain(
    account: &Account,
    host: &str,
    answerer: &Answerer,
) -> Result<Zeroizing<String>, OrderError> {
    let identifiers = [Identifier::Dns(host.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let answers = answer_all(&mut order, host, answerer).await?;
    let retries = RetryPolicy::new().timeout(POLL_TIME_MAX);
    if order.poll_ready(&retries).await? != OrderStatus::Ready {
        return Err(OrderError::NotContent(complaint(&mut order).await));
    }
    drop(answers);
    let key = Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&retries).await?;
    Ok(Zeroizing::new(format!("{}\n{}", chain.trim_end(), *key)))
}

async fn answer_all(order: &mut Order, host: &str, answerer: &Answerer) -> Result<Vec<Answer>, OrderError> {
    let mut answers = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            // It remembers an answer of not long ago.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            status => return Err(OrderError::NotContent(format!("the authorization of {host} is {status:?}"))),
        }
        let not_offered = || OrderError::NotOffered(answerer.challenge.label());
        let mut challenge = authorization.challenge(answerer.kind()).ok_or_else(not_offered)?;
        answers.push(answerer.answer(host, &challenge)?);
        challenge.set_ready().await?;
    }
    Ok(answers)
}

/// What the server says is wrong.
async fn complaint(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { continue };
        let Ok(state) = authorization.refresh().await else { continue };
        said.extend(state.challenges.iter().filter_map(|challenge| challenge.error.as_ref()).map(ToString::to_string));
    }
    if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
}
