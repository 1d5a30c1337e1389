//! Reading JSON into types, naming the place of what does not fit: the arguments of actions here, bodies in `api`.

mod pointer;
mod typed;

pub(crate) use pointer::{push_index, push_key};
pub(crate) use typed::{Misfit, Unknown, object, read};
