//! Outside events become invocations: listeners, routes, HTTP.
