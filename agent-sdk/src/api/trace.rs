//! The trace context that a request brings (W3C Trace Context), so that an action's trace goes on from its request's.

use actix_web::http::header::HeaderMap;

/// The `traceparent` of a request; none when it is missing, given twice, or not of the standard's form.
pub(super) fn parent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent");
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok().filter(|text| lawful(text))
}

/// `version-trace id-parent id-flags` in lower-case hexadecimal; a newer version may say more after that.
fn lawful(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        parts
            .next()
            .filter(|part| part.len() == length && part.bytes().all(hex))
    };
    let some = |id: Option<&str>| id.is_some_and(|id| id.bytes().any(|byte| byte != b'0'));
    let version = part(2);
    let ids = some(part(32)) && some(part(16));
    let flags = part(2).is_some();
    let ends = parts.next().is_none();
    ids && flags && text.len() <= 200 && version.is_some_and(|version| version != "ff" && (version != "00" || ends))
}

#[cfg(test)]
mod tests {
    use super::lawful;

    #[test]
    fn only_what_the_standard_describes() {
        assert!(lawful("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        assert!(lawful("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later"));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert!(!lawful(bad), "{bad}");
        }
    }
}
