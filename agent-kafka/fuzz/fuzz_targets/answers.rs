//! Whatever a listener answers, the client neither panics nor asks for more memory than the answer's length allows.
//!
//! ```text
//! cargo test -p agent-kafka --lib -- --ignored the_corpus_is_made
//! cd agent-kafka && cargo +nightly fuzz run answers -- -max_len=65536 -rss_limit_mb=512 -max_total_time=600
//! ```

#![no_main]

use agent_kafka::client::call;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

// Key, version and correlation of the request, then the answer's frame.
fuzz_target!(|data: &[u8]| {
    let [a, b, c, d, e, f, g, h, frame @ ..] = data else { return };
    let key = i16::from_be_bytes([*a, *b]);
    let version = i16::from_be_bytes([*c, *d]);
    let correlation = i32::from_be_bytes([*e, *f, *g, *h]);
    let _ = call::read(key, version, correlation, Bytes::copy_from_slice(frame));
});
