//! What hostile bodies are told, and what is the same.

use super::strict::Fault;
use super::{check, same};

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

fn fault(text: &str) -> Fault {
    check(text).expect_err(text).0
}

fn place(text: &str) -> String {
    check(text).expect_err(text).1
}

#[test]
fn json_passes() {
    for text in [
        "null",
        " true ",
        "-0",
        "0.5e-3",
        "12345678901234567890123456789012345678901234567890",
        "\"\"",
        r#""\u00e9 \ud83d\ude00 \" \\ \/ \b\f\n\r\t é 😀""#,
        "[]",
        "{}",
        "\t{\"a\" : [1, {\"a\": {}}, []], \"b\":false}\r\n",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_no_json_is_malformed() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{} {}",
        "nul",
        "nullx",
        "True",
        "NaN",
        "[NaN]",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "'a'",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"a\nb\"",
        "\"\u{0}\"",
        "\u{feff}{}",
        "/* */{}",
        "[1 2]",
        "\u{a0}1",
    ] {
        assert!(matches!(fault(text), Fault::Malformed(_)), "{text:?}");
    }
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\udc00\ud800""#,
        r#"{"\ud800":1}"#,
    ] {
        assert!(matches!(fault(text), Fault::Malformed(_)), "{text}");
    }
}

#[test]
fn depth_128_passes_and_129_does_not() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = |depth| nested(open, close, depth).replace("\"a\":}", "\"a\":1}");
        assert_eq!(check(&text(128)), Ok(()));
        assert_eq!(fault(&text(129)), Fault::TooDeep);
        assert_eq!(fault(&text(1_000_000)), Fault::TooDeep);
    }
    assert_eq!(fault(&"[".repeat(129)), Fault::TooDeep);
}

#[test]
fn a_key_given_twice_is_named_by_its_pointer() {
    assert_eq!(check(r#"{"a":1,"a":1}"#), Err((Fault::DuplicateKey, "/a".to_owned())));
    assert_eq!(place(r#"{"a":[{},{"b/c":{"~":1,"~":2}}]}"#), "/a/1/b~1c/~0");
    assert_eq!(fault(r#"{"a":1,"\u0061":2}"#), Fault::DuplicateKey);
    assert_eq!(fault(r#"{"":1,"":2}"#), Fault::DuplicateKey);
}

#[test]
fn numbers_beyond_a_float_are_refused_where_they_are() {
    for number in ["1e999", "-1e999", "1E400", &"9".repeat(400)] {
        assert_eq!(
            check(&format!(r#"{{"a":[0,{number}]}}"#)),
            Err((Fault::NumberOutOfRange, "/a/1".to_owned()))
        );
    }
    assert_eq!(check("1e-999"), Ok(()));
    assert_eq!(check(&"9".repeat(308)), Ok(()));
}

#[test]
fn the_same_json_is_the_same_whatever_its_spelling() {
    assert!(same(
        r#"{"a":1,"b":[true,"\u0061"]}"#,
        r#" {"b": [ true, "a" ], "a": 1} "#
    ));
    assert!(!same("1", "1.0"));
    assert!(!same("1", r#""1""#));
    assert!(!same("[1,2]", "[2,1]"));
    assert!(!same("{}", "null"));
    assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":2}"#));
}

proptest::proptest! {
    /// Whatever comes: no panic, and nothing passes that serde would refuse.
    #[test]
    fn what_passes_is_json_for_everybody(text in r#"[\[\]{}:,"\\0-9a-f.eE+\-ntu \x00-\x1f]{0,40}"#) {
        if check(&text).is_ok() {
            proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        } else if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
            // Only a duplicate key is refused here that serde takes.
            proptest::prop_assert!(value.is_object() || value.is_array());
        }
    }
}
