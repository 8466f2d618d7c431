//! Which component answers a request.

mod conflict;
mod pattern;
mod table;

use serde::{Deserialize, Serialize};

use crate::id::ComponentName;

pub use conflict::RouteConflict;
pub(crate) use conflict::conflicts;
pub use pattern::{HostError, PatternError, PatternFault, RoutePattern, parse_route_host};
pub use table::RouteTable;

/// One HTTP route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The paths.
    pub pattern: RoutePattern,
    /// The host, in lower case and without a port; any host when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The methods; every method when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "method_text")]
    pub methods: Vec<http::Method>,
    /// The component that answers.
    pub component: ComponentName,
}

impl Route {
    /// The route of every request, whatever its host, method and path.
    #[must_use]
    pub fn all(component: ComponentName) -> Self {
        Self { pattern: RoutePattern::all(), host: None, methods: Vec::new(), component }
    }
}

/// Methods as text.
mod method_text {
    use http::Method;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(methods: &[Method], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(methods.iter().map(Method::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Method>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse().map_err(de::Error::custom)).collect()
    }
}
