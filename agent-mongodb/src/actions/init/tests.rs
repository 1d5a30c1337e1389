use super::*;
use crate::actions::majority::tests::set;
use crate::client::Read;

fn view(found: Found) -> View {
    View {
        replica_set: "rs0".to_owned(),
        member_address: Some("h0:1".parse().unwrap()),
        found,
    }
}

fn member(states: &[i32], primary: Option<&str>) -> Found {
    let (config, status) = set(states);
    Found::Member(Box::new(Settled {
        state: status.state,
        me: "h0:1".to_owned(),
        primary: primary.map(str::to_owned),
        takes_writes: true,
        config: Some(config),
    }))
}

fn args(members: &[&str]) -> InitArgs {
    let member = |node: &&str| NewMember {
        node: (*node).to_owned(),
        ..NewMember::default()
    };
    InitArgs {
        members: Some(members.iter().map(member).collect()),
        ..InitArgs::default()
    }
}

fn code(args: &InitArgs, found: Found) -> String {
    match Init::decide(args, &view(found), None).unwrap_err() {
        ActionError::Final(fault) => fault.code().to_owned(),
        ActionError::Retry(fault) => format!("retry {}", fault.code()),
        other => other.to_string(),
    }
}

fn step(args: &InitArgs) -> Step {
    match Init::decide(args, &view(Found::Blank), None).unwrap() {
        Next::Do { now, .. } => now,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blank_node_becomes_a_set_by_its_configured_name() {
    let step = step(&InitArgs::default());
    assert_eq!(step.to_string(), "initiate the set rs0 of h0:1");
    let document = step.document(17);
    assert_eq!(document.text("_id"), Some("rs0"));
    let members: Vec<_> = document.parts("members").collect();
    assert_eq!((members.len(), members[0].text("host")), (1, Some("h0:1")));
    assert!(!document.contains_key("settings"));
}

#[test]
fn the_richer_form_has_members_and_settings() {
    let mut args = args(&["h0:1", "H1:1"]);
    args.members.as_mut().unwrap()[1].arbiter = Some(true);
    args.settings.election_timeout_ms = Some(2_000);
    let document = step(&args).document(9);
    let members: Vec<_> = document.parts("members").collect();
    assert_eq!(members[1].text("host"), Some("h1:1"));
    assert_eq!(members[1].truth("arbiterOnly"), Some(true));
    assert_eq!(members[1].number("priority"), Some(0.0));
    assert_eq!(
        document.part("settings").unwrap().whole("electionTimeoutMillis"),
        Some(2_000)
    );
}

#[test]
fn members_that_cannot_be_are_refused() {
    assert_eq!(code(&args(&["h1:1"]), Found::Blank), "invalid_member");
    assert_eq!(code(&args(&["h0:1", "H0:1"]), Found::Blank), "invalid_member");
    assert_eq!(code(&args(&["h0:1", "h1"]), Found::Blank), "node_unresolved");
    let mut nameless = view(Found::Blank);
    nameless.member_address = None;
    let error = Init::decide(&InitArgs::default(), &nameless, None).unwrap_err();
    assert!(error.to_string().contains("store.member_address"));
}

#[test]
fn it_is_done_when_there_is_a_primary() {
    let decide = |found, last: Option<&Step>| Init::decide(&InitArgs::default(), &view(found), last).unwrap();
    assert!(matches!(decide(member(&[2], None), None), Next::Wait(_)));
    let Found::Member(mut elected) = member(&[1], Some("h0:1")) else {
        panic!("it is a member")
    };
    elected.takes_writes = false;
    assert!(
        matches!(decide(Found::Member(elected), None), Next::Wait(_)),
        "it takes no writes yet"
    );
    assert!(matches!(decide(member(&[5, 1], Some("h1:1")), None), Next::Wait(_)));
    assert!(matches!(
        decide(member(&[1], Some("h0:1")), None),
        Next::Done(Initialised { changed: false, .. })
    ));
    let step = step(&InitArgs::default());
    assert!(matches!(
        decide(member(&[1], Some("h0:1")), Some(&step)),
        Next::Done(Initialised { changed: true, .. })
    ));
}

#[test]
fn a_set_that_is_there_is_not_made_another() {
    assert_eq!(
        code(&args(&["h0:1", "h9:1"]), member(&[1, 2], Some("h0:1"))),
        "set_differs"
    );
    // One that has grown is the same.
    assert!(Init::decide(&args(&["h0:1"]), &view(member(&[1, 2], Some("h0:1"))), None).is_ok());
    assert_eq!(code(&InitArgs::default(), Found::Removed), "removed");
}

#[test]
fn each_answer_calls_for_its_own() {
    let outcome = |code| {
        let fault = Fault::Answered {
            code: Code(code),
            message: "as the server says".to_owned(),
        };
        match of_initiate(&fault) {
            Ok(()) => "read again".to_owned(),
            Err(ActionError::Final(fault)) => format!("final {}", fault.code()),
            Err(ActionError::Retry(fault)) => format!("retry {}", fault.code()),
            Err(other) => other.to_string(),
        }
    };
    for (code, expected) in [
        (13, "final not_allowed"),
        (23, "read again"),
        (74, "retry member_unreachable"),
        (93, "final refused"),
        (103, "final refused"),
        (109, "retry not_now"),
    ] {
        assert_eq!(outcome(code), expected, "{code}");
    }
}
