//! Requests as they are shown to people: lines to copy into a shell, whatever is in them, and without secrets.

use std::fmt::Write;

use super::{Client, Request};

/// Bytes of a body, or of what is sent in place of a request, that are shown, runs of one byte aside.
const SHOWN: usize = 2_000;

/// From how many on the same bytes are told by their number.
const RUN: usize = 100;

/// A line of curl that asks the same. What was given to the suite in files has to be filled in.
pub(super) fn curl(client: &Client, request: &Request) -> String {
    let Client {
        address,
        credentials,
        tls,
        limits: _,
        run: _,
        taken: _,
        resolved: _,
    } = client;
    let mut line = "curl -i".to_owned();
    let mut word = |option: &str, value: &str| {
        line.push_str(option);
        line.push_str(&quoted(&credentials.masked(value)));
    };
    if request.method != "GET" {
        word(" -X ", request.method);
    }
    if let Some(tls) = tls.as_ref().filter(|_| address.is_secure()) {
        word(" --cacert ", "ca.pem");
        if tls.shows_itself() {
            word(" --cert ", "client.pem");
            word(" --key ", "client-key.pem");
        }
    }
    for (name, _) in credentials.headers() {
        word(" -H ", &format!("{name}: ***"));
    }
    for (name, value) in &request.headers {
        word(" -H ", &format!("{name}: {value}"));
    }
    let mut piped = None;
    match request.body.as_deref() {
        None => {}
        Some(body) => match std::str::from_utf8(body) {
            Ok(text) if body.len() <= SHOWN && !text.contains(char::is_control) => word(" --data-raw ", text),
            _ => {
                piped = printing(body);
                match piped {
                    Some(_) => word(" --data-binary ", "@-"),
                    None => word(" --data-binary ", &format!("@body-of-{}-bytes", body.len())),
                }
            }
        },
    }
    let url = format!("{address}{}", request.path);
    // Brackets and braces stand for several addresses otherwise.
    let option = if url.contains(['[', ']', '{', '}']) {
        " -g "
    } else {
        " "
    };
    word(option, &url);
    match piped {
        Some(printing) => format!("{printing} | {line}"),
        None => line,
    }
}

/// A line that sends bytes which may be no request.
pub(super) fn raw(client: &Client, bytes: &[u8]) -> String {
    let address = &client.address;
    let (host, port) = (address.host(), address.port());
    let Some(printing) = printing(bytes) else {
        return format!("# {} bytes, sent as they are to {}", bytes.len(), quoted(host));
    };
    let to = if address.is_secure() {
        format!("openssl s_client -quiet -connect {}", quoted(&format!("{host}:{port}")))
    } else {
        format!("nc {} {port}", quoted(host))
    };
    format!("{printing} | {to}")
}

/// A word of a shell, which means nothing but itself.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command that prints these bytes; none where it would be long.
fn printing(bytes: &[u8]) -> Option<String> {
    let (mut commands, mut plain, mut shown) = (Vec::new(), Vec::new(), 0);
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (run, after) = rest.split_at(rest.iter().take_while(|byte| *byte == first).count());
        rest = after;
        if run.len() < RUN {
            plain.extend_from_slice(run);
            shown += run.len();
            if shown > SHOWN {
                return None;
            }
            continue;
        }
        if !plain.is_empty() {
            commands.push(printf(&std::mem::take(&mut plain)));
        }
        commands.push(format!(r"head -c {} /dev/zero | tr '\0' '\{first:03o}'", run.len()));
    }
    if !plain.is_empty() {
        commands.push(printf(&plain));
    }
    match commands.as_slice() {
        [one] => Some(one.clone()),
        several => Some(format!("{{ {}; }}", several.join("; "))).filter(|_| !several.is_empty()),
    }
}

/// The same, byte by byte.
fn printf(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'%' => format.push_str("%%"),
            b'\\' => format.push_str(r"\\"),
            b'\r' => format.push_str(r"\r"),
            b'\n' => format.push_str(r"\n"),
            b' '..=b'~' => format.push(char::from(*byte)),
            // A string takes whatever is written to it.
            _ => {
                let _: std::fmt::Result = write!(format, r"\{byte:03o}");
            }
        }
    }
    format!("printf {}", quoted(&format))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::{Credentials, Limits};

    fn client(address: &str) -> Client {
        let credentials = Credentials::default().with_token("canary");
        Client::new(address.parse().unwrap(), Arc::new(credentials), Limits::default())
    }

    #[test]
    fn secrets_are_in_nothing_that_is_shown() {
        let request = Request::post("/api/v1/actions/canary", &serde_json::json!({"a": "it's canary"}));
        assert_eq!(
            curl(&client("http://h:1/p"), &request),
            r#"curl -i -X 'POST' -H 'authorization: ***' -H 'content-type: application/json' --data-raw '{"a":"it'\''s ***"}' 'http://h:1/p/api/v1/actions/***'"#
        );
    }

    #[test]
    fn nothing_in_a_request_gets_out_of_its_word() {
        let line = curl(
            &client("http://[::1]:7"),
            &Request::get("/x';reboot;'$(reboot)`reboot`"),
        );
        assert_eq!(
            line,
            r"curl -i -H 'authorization: ***' -g 'http://[::1]:7/x'\'';reboot;'\''$(reboot)`reboot`'"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_printed_for_it() {
        let request = Request {
            headers: Vec::new(),
            ..Request::post_text("/", b"50%\\\x01\xff'\n".as_slice())
        };
        assert_eq!(
            curl(&client("http://h:1"), &request),
            r"printf '50%%\\\001\377'\''\n' | curl -i -X 'POST' -H 'authorization: ***' --data-binary '@-' 'http://h:1/'"
        );
        assert_eq!(
            raw(&client("http://h:1"), b"\x16\x03\r\n"),
            r"printf '\026\003\r\n' | nc 'h' 1"
        );
        assert!(raw(&client("https://h:1"), b"x").ends_with("| openssl s_client -quiet -connect 'h:1'"));
        let varied: Vec<u8> = (0..3000_u32).flat_map(u32::to_le_bytes).collect();
        assert!(raw(&client("http://h:1"), &varied).starts_with("# 12000 bytes"));
    }

    #[test]
    fn a_shell_prints_what_was_sent() {
        let every: Vec<u8> = (0..=255).collect();
        let deep = format!(r#"{{"args":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        for bytes in [every, deep.into_bytes(), vec![b'\\'; 300], b"50% of 'a'\r\n".to_vec()] {
            let command = printing(&bytes).unwrap();
            assert!(command.len() < 1200, "{command}");
            let printed = std::process::Command::new("sh")
                .args(["-c", &command])
                .output()
                .unwrap();
            assert_eq!(printed.stdout, bytes, "{command}");
        }
        assert_eq!(printing(b""), None);
    }
}
