//! `/api/unstable`: what the existing control plane speaks.
//!
//! It takes this very shape and no other, and it is unforgiving: a finished action without its finishing time, or one
//! that is in neither list, confuses it for good. Keys and parameters that it sends and this agent does not know are
//! passed over.

mod actions;
mod info;

use super::route::Route;

/// The dialect's rows.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = info::routes();
    routes.extend(actions::routes());
    routes
}
