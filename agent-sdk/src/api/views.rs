//! The shapes that both dialects share.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::spec::{Addresses, Attributes};

/// Attributes as a map.
pub(super) struct AttributeMap<'a>(pub(super) &'a Attributes);

impl Serialize for AttributeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// Addresses as a map: `client` and `member` are always there, null when unset.
pub(super) struct AddressMap<'a>(pub(super) &'a Addresses);

impl Serialize for AddressMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Addresses { client, member, others } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("client", client)?;
        map.serialize_entry("member", member)?;
        for (name, address) in others
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "client" | "member"))
        {
            map.serialize_entry(name, address)?;
        }
        map.end()
    }
}
