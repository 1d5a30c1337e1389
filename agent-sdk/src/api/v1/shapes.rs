//! JSON Schemas of values that are no types of their own on the wire.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Attributes: scoped names and scalars.
pub(super) fn attributes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    })
}

/// Addresses: the two that are always told, and any further ones.
pub(super) fn addresses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {"client": {"type": ["string", "null"]}, "member": {"type": ["string", "null"]}},
        "required": ["client", "member"],
        "additionalProperties": {"type": "string"},
    })
}

/// A time: RFC 3339 in UTC, nine digits, `Z`.
pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// A time that may not have come yet.
pub(super) fn time_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "format": "date-time"})
}

/// A JSON Schema.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["object", "boolean"]})
}

/// Any JSON value.
pub(super) fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({})
}
