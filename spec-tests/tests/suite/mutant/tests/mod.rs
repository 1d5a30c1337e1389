//! A wrong "right agent" would make every verdict over mutants worthless: here it is held against `wire.md`, and each fault
//! against the right agent.

mod crashes;
mod hostilities;
mod portrait;
mod refused;
mod scenes;
mod scenes_refused;
mod shown;
mod talk;
mod unstable;
mod v1;
