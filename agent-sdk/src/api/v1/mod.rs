//! `/api/v1`: the specification's own names, ours to keep stable.

mod actions;
mod info;
mod kinds;
mod records;
mod shapes;

use super::route::Route;

/// The dialect's rows. A path without variables goes before those that would fit it too.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![super::openapi::route()];
    routes.extend(info::routes());
    routes.extend(actions::routes());
    routes.extend(kinds::routes());
    routes
}
