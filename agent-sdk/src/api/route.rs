//! What is served: one table, from which come the router, the answers to wrong methods, and the `OpenAPI` document.
//!
//! A dialect adds its rows; nothing is served that has no row, and a row cannot be served otherwise than it says: whom
//! it needs, whether it takes a body and which parameters it knows are read from it at every request.

use actix_web::http::Method;
use futures_util::future::LocalBoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use uuid::Uuid;

use super::access::Role;
use super::answer::Answer;
use super::call::Ask;
use super::problem::{Code, Problem};
use crate::config::Tree;

/// How problems and places are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Outside of both trees.
    Plain,
    /// `/api/v1`.
    V1,
    /// `/api/unstable`.
    Unstable,
}

impl Dialect {
    /// The dialect that a path is in, also where nothing is served there.
    pub(super) fn of(path: &str) -> Self {
        let within = |tree: &str| {
            path.strip_prefix(tree)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if within("/api/v1") {
            Self::V1
        } else if within("/api/unstable") {
            Self::Unstable
        } else {
            Self::Plain
        }
    }

    /// Where an action is found.
    pub(super) fn action(self, id: Uuid) -> String {
        match self {
            Self::Plain | Self::V1 => format!("/api/v1/actions/{id}"),
            Self::Unstable => format!("/api/unstable/action/{id}"),
        }
    }

    /// Whether what a route does not know is refused, rather than passed over.
    pub(super) fn is_strict(self) -> bool {
        self == Self::V1
    }
}

/// An answer in the making.
pub(super) type Reply<'a> = LocalBoxFuture<'a, Result<Answer, Problem>>;

/// A type's JSON Schema.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type.
pub(super) fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A parameter of the query.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Lowest and highest value; without them it is a text.
    pub(super) range: Option<(u64, u64)>,
}

/// What a route answers when all is well.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// JSON of this type.
    Json(u16, SchemaOf),
    /// Text of this media type.
    Text(u16, &'static str),
}

/// One row of the table.
pub(super) struct Route {
    pub(super) method: Method,
    /// The path, its variables in braces.
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) needs: Role,
    /// The type of its body, where it takes one.
    pub(super) takes: Option<SchemaOf>,
    pub(super) query: &'static [Parameter],
    pub(super) gives: Gives,
    /// How it can fail, beside what holds for every route.
    pub(super) problems: &'static [Code],
    pub(super) handler: for<'a> fn(Ask<'a>) -> Reply<'a>,
}

/// All rows, grouped by path.
pub(super) struct Table {
    places: Vec<Place>,
}

/// A path with its routes.
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) routes: Vec<Route>,
    /// For `Allow`: the methods of the routes, and HEAD where there is a GET.
    pub(super) allow: String,
}

impl Table {
    /// The rows of the chosen trees, and those outside of both.
    pub(super) fn new(trees: &[Tree]) -> Self {
        let mut table = Self { places: Vec::new() };
        let mut rows = super::plain::routes();
        if trees.contains(&Tree::V1) {
            rows.extend(super::v1::routes());
        }
        if trees.contains(&Tree::Unstable) {
            rows.extend(super::unstable::routes());
        }
        for row in rows {
            table.add(row);
        }
        table
    }

    fn add(&mut self, route: Route) {
        let known = self.places.iter().position(|place| place.path == route.path);
        let index = known.unwrap_or_else(|| {
            self.places.push(Place {
                path: route.path,
                routes: Vec::new(),
                allow: String::new(),
            });
            self.places.len() - 1
        });
        let place = &mut self.places[index];
        for method in [
            Some(route.method.as_str()),
            (route.method == Method::GET).then_some("HEAD"),
        ]
        .into_iter()
        .flatten()
        {
            if !place.allow.is_empty() {
                place.allow.push_str(", ");
            }
            place.allow.push_str(method);
        }
        place.routes.push(route);
    }

    /// Every path; where two fit a request, the first is meant.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}

impl Place {
    /// The route for a method; HEAD is a GET whose body is not sent.
    pub(super) fn route(&self, method: &Method) -> Option<&Route> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().find(|route| route.method == *method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_in_the_dialect_it_belongs_to() {
        for place in Table::new(&[Tree::V1, Tree::Unstable]).places() {
            assert_eq!(
                Dialect::of(place.path) == Dialect::Plain,
                !place.path.starts_with("/api/"),
                "{}",
                place.path
            );
        }
        assert_eq!(Dialect::of("/api/v1x"), Dialect::Plain);
        assert_eq!(Dialect::of("/api/unstable"), Dialect::Unstable);
    }

    #[test]
    fn a_tree_that_is_switched_off_has_no_rows() {
        let paths = |trees: &[Tree], prefix: &str| {
            Table::new(trees)
                .places()
                .iter()
                .filter(|place| place.path.starts_with(prefix))
                .count()
        };
        assert_eq!(
            (paths(&[Tree::V1], "/api/unstable"), paths(&[Tree::Unstable], "/api/v1")),
            (0, 0)
        );
        assert!(paths(&[], "/healthz") == 1 && paths(&[], "/api") == 0);
    }

    #[test]
    fn what_changes_something_needs_the_role_to_act() {
        for place in Table::new(&[Tree::V1, Tree::Unstable]).places() {
            for route in &place.routes {
                assert_eq!(
                    route.needs == Role::Act,
                    route.method != Method::GET,
                    "{} {}",
                    route.method,
                    route.path
                );
            }
        }
    }
}
