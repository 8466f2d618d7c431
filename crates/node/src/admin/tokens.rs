//! Tokens.

use super::api::{Api, Attempt};
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Document, Names};
use super::view::{self, blocking};
use crate::admin::input::Params;
use axum::Json;
use axum::extract::State;
use cumulet_control::NewToken as New;
use cumulet_spec::api::{NewToken, Page, Problem, ProblemKind, TokenMade, TokenView};
use cumulet_spec::id::TenantId;
use cumulet_spec::token::{Reach, Scope, TokenId, TokenName, TokenText};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Microseconds of a second.
const MICROS: u64 = 1_000_000;
/// The longest life of a token that ends, in seconds: ten years.
const LIFE_S_MAX: u64 = 10 * 366 * 24 * 60 * 60;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(remove))
}

/// Which tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TokenParams {
    /// Those that reach one tenant; by default those that reach what this token does.
    tenant: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// The most entries; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The tokens, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", params(TokenParams), responses(
    (status = 200, body = Page<TokenView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(params): Params<TokenParams>,
) -> Answer<Json<Page<TokenView>>> {
    let page = super::input::PageParams { after: params.after, limit: params.limit };
    let (after, limit) = (page.after::<TokenId>()?, page.limit()?);
    let tenant = params.tenant.map(|text| text.parse::<TenantId>()).transpose();
    let tenant = tenant.map_err(|error| Fault::new(ProblemKind::Invalid, error.to_string()))?;
    let tenant = tenant.or_else(|| caller.0.reach.tenant().cloned());
    blocking(move || {
        let reach = match tenant {
            Some(tenant) => {
                caller.may(&api, Scope::Admin, &tenant)?;
                Some(Reach::Tenant(tenant))
            }
            None => {
                caller.may_on_node(Scope::Admin)?;
                None
            }
        };
        let rows = api.registry().tokens(reach.as_ref(), after.as_ref(), limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id.to_string());
        Ok(Json(Page { items: rows.iter().map(view::token).collect(), next }))
    })
    .await
}

/// Makes a token. Its secret is in the answer, and nowhere else from then on.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken, responses(
    (status = 201, body = TokenMade),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn make(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Document(request): Document<NewToken>,
) -> Answer<(StatusCode, Json<TokenMade>)> {
    let name = TokenName::parse(&request.name).map_err(|error| Fault::new(ProblemKind::Invalid, error.to_string()))?;
    if request.expires_in_s.is_some_and(|seconds| seconds == 0 || seconds > LIFE_S_MAX) {
        let detail = format!("expires_in_s must be from 1 to {LIFE_S_MAX}");
        return Err(Fault::new(ProblemKind::Invalid, detail).next("leave it out for a token that does not end"));
    }
    blocking(move || {
        let reach = match request.tenant {
            Some(tenant) => {
                caller.may(&api, Scope::Admin, &tenant)?;
                Reach::Tenant(tenant)
            }
            None => {
                caller.may_on_node(Scope::Admin)?;
                Reach::Node
            }
        };
        if !caller.0.may_give(&reach, request.scope) {
            return Err(Fault::new(ProblemKind::Forbidden, "a token can only give what it has itself"));
        }
        let text = TokenText::new(TokenId::from_bits(rand::random()), &rand::random());
        let at_us = api.ship.now_us();
        let new = New {
            id: text.id().clone(),
            hash: text.hash(),
            name,
            reach,
            scope: request.scope,
            expires_us: request.expires_in_s.map(|seconds| at_us.saturating_add(seconds.saturating_mul(MICROS))),
            by: caller.0.actor(),
            at_us,
        };
        api.registry().put_token(&new)?;
        api.audit(Attempt { tenant: new.reach.tenant(), ..Attempt::by(&caller.0, "token.make", text.id().as_str()) });
        let row = api.registry().token(text.id())?.ok_or_else(|| Fault::not_found("such token"))?;
        let made = TokenMade { token: view::token(&row), secret: text.reveal().to_owned() };
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}

/// Removes a token: it admits nobody from then on.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path)), responses(
    (status = 204, description = "It is gone."),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn remove(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<StatusCode> {
    let id: TokenId = names.get("id")?;
    blocking(move || {
        let unknown = || Fault::not_found(&format!("token {id}"));
        let row = api.registry().token(&id)?.ok_or_else(unknown)?;
        match row.reach.tenant() {
            // Ids are told to whoever reaches what the token reaches, and to nobody else.
            Some(tenant) if !caller.0.reach.includes(tenant) => return Err(unknown()),
            None if caller.0.reach.tenant().is_some() => return Err(unknown()),
            Some(tenant) => caller.may(&api, Scope::Admin, tenant)?,
            None => caller.may_on_node(Scope::Admin)?,
        }
        api.registry().remove_token(&id, &caller.0.actor(), api.ship.now_us())?;
        api.audit(Attempt { tenant: row.reach.tenant(), ..Attempt::by(&caller.0, "token.remove", id.as_str()) });
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
