use super::*;

fn three() -> SetConfig {
    SetConfig::of(doc! {
        "_id": "rs0", "version": 4, "term": 2_i64,
        "members": [
            { "_id": 0, "host": "h1:1", "votes": 1, "priority": 1.0, "buildIndexes": true },
            { "_id": 2, "host": "h2:1", "votes": 0, "priority": 0, "hidden": true, "slaveDelay": 60_i64, "tags": { "dc": "a" } },
            { "_id": 5, "host": "H3:1", "arbiterOnly": true, "priority": 0.0 },
        ],
        "settings": { "chainingAllowed": true },
        "of another release": 7,
    })
    .unwrap()
}

#[test]
fn a_configuration_is_read_in_each_releases_words() {
    let set = three();
    assert_eq!((set.version, set.voters(), set.next_id()), (4, 2, 6));
    let second = &set.member("h2:1").unwrap().role;
    assert_eq!((second.votes, second.delay_s, second.hidden), (0, 60, true));
    assert_eq!(second.tags["dc"], "a");
    assert!(set.member("h3:1").unwrap().role.arbiter, "hosts have no case");
}

#[test]
fn what_is_not_changed_stays_as_it_was() {
    let set = three();
    let next = set.without(2);
    assert_eq!(next.whole("version"), Some(5));
    assert_eq!(next.whole("of another release"), Some(7));
    let members: Vec<_> = next.parts("members").collect();
    assert_eq!(members.len(), 2);
    assert_eq!(
        members[0],
        &doc! { "_id": 0, "host": "h1:1", "votes": 1, "priority": 1.0, "buildIndexes": true }
    );
}

#[test]
fn a_member_is_written_in_the_words_of_the_configuration() {
    let member = |delay_s| Member {
        id: 6,
        host: "h4:1".to_owned(),
        role: Part {
            delay_s,
            priority: 0.0,
            ..Part::default()
        },
    };
    let last = |set: &SetConfig, delay_s| set.with(&member(delay_s)).parts("members").last().unwrap().clone();
    // A set that a newer release runs, and that may not use its features yet, keeps the older name.
    let old = three();
    assert_eq!(last(&old, 30).whole("slaveDelay"), Some(30));
    assert!(!last(&old, 30).contains_key("secondaryDelaySecs") && !last(&old, 0).contains_key("slaveDelay"));
    let new =
        doc! { "_id": "rs0", "version": 1, "members": [{ "_id": 0, "host": "h:1", "secondaryDelaySecs": 0_i64 }] };
    let new = SetConfig::of(new).unwrap();
    assert_eq!(last(&new, 30).whole("secondaryDelaySecs"), Some(30));
    assert_eq!(Part::of(&last(&new, 30)), member(30).role);
    assert_eq!((delay_name(9), delay_name(13)), ("slaveDelay", "secondaryDelaySecs"));
    let changed = old.changed(2, &member(0).role);
    let second = changed.parts("members").nth(1).unwrap().clone();
    assert_eq!(
        (second.whole("slaveDelay"), second.contains_key("secondaryDelaySecs")),
        (Some(0), false)
    );
}

#[test]
fn an_address_has_one_meaning_in_all_its_spellings() {
    assert!(same_host("H:1", "h:1") && same_host(" h:1", "h:1") && same_host("[0:0::1]:1", "[::1]:1"));
    assert!(!same_host("h:1", "h:2"));
}

#[test]
fn a_change_touches_one_member() {
    let set = three();
    let part = Part {
        priority: 5.0,
        ..Part::default()
    };
    let next = set.changed(0, &part);
    let members: Vec<_> = next.parts("members").collect();
    assert_eq!(members[0].number("priority"), Some(5.0));
    assert_eq!(members[0].truth("buildIndexes"), Some(true));
    assert_eq!(members[1].number("priority"), Some(0.0));
}

#[test]
fn a_configuration_without_its_parts_is_none() {
    let missing = |config: Document| SetConfig::of(config).unwrap_err().to_string();
    assert!(missing(doc! { "_id": "rs0", "members": [] }).contains("no version"));
    assert!(missing(doc! { "_id": "rs0", "version": 1, "members": [{ "host": "h:1" }] }).contains("members"));
}
