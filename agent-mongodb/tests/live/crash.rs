//! Line 2: an agent that is killed at each of its checkpoints goes on, and what it does is done once.

use agent_sdk::client::Record;
use serde_json::{Value, json};
use testbed::agent::{Program, killed_at_each_step};
use testbed::mongodb::Cluster;

use crate::rig::{ADD, CONFIGURE, INIT, REMOVE, STEP_DOWN, UP, by_password, done, grant, password, settings};

/// The kind of the last step that was made durable; where there is one kind only, it is called "step".
fn step(record: &Record) -> Option<String> {
    let payload: Value = serde_json::from_str(record.state_payload.as_ref()?.get()).unwrap();
    let step = payload["step"].as_object()?;
    Some(step.get("step").and_then(Value::as_str).unwrap_or("step").to_owned())
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn killed_at_each_checkpoint_everything_is_done_once() {
    let cluster = Cluster::builder(3).secured().start(UP).unwrap();
    let (_secret, file) = password("agent:secret");
    let program = |number| {
        let mut server = settings(&cluster, cluster.node(number).unwrap());
        by_password(&mut server, &cluster, &file);
        Program::new(env!("CARGO_BIN_EXE_agent-mongodb"), &server).unwrap()
    };
    let (mut first, mut second) = (program(1), program(2));
    let named = |number| json!({ "node": cluster.node(number).unwrap().member_address() });
    let version = || cluster.node(2).unwrap().config().unwrap().get_i32("version").unwrap();
    let killed_in = |program: &mut Program, kind: &str, args: &Value, steps: &[&str]| {
        let (record, killed) = killed_at_each_step(program, kind, args, step);
        let output = done(&record);
        println!("{kind}: killed at {killed:?}, attempt {}: {output}", record.attempt);
        // A set of one is there before everybody looks: then it was killed at no step, and done at once.
        assert!(
            killed == steps || (kind == INIT && killed.is_empty()),
            "{kind}: {killed:?}"
        );
        assert_eq!(output["changed"], true, "{kind}");
        output
    };
    killed_in(&mut first, INIT, &json!({}), &["step"]);
    grant(cluster.primary(UP).unwrap());
    for number in [2, 3] {
        killed_in(&mut first, ADD, &named(number), &["admit", "follow", "promote"]);
    }
    // One change for each step: nothing was done twice.
    assert_eq!(version(), 5);
    let mut tagged = named(2);
    tagged["tags"] = json!({ "dc": "a" });
    killed_in(&mut second, CONFIGURE, &tagged, &["step"]);
    assert_eq!(version(), 6);
    let handed = killed_in(&mut first, STEP_DOWN, &json!({ "stay_s": 20 }), &["step"]);
    assert_ne!(handed["primary"], named(1)["node"]);
    // The primary, removed from beside another member.
    let primary = cluster.primary(UP).unwrap().number();
    let other = if primary == 2 { &mut first } else { &mut second };
    let steps = ["step_down", "remove"];
    // One that has just stepped down may not be elected yet: the third takes over.
    let removed = killed_in(other, REMOVE, &named(primary), &steps);
    assert_eq!(removed["members"].as_array().unwrap().len(), 2);
    let left = cluster.primary(UP).unwrap();
    assert_eq!(left.config().unwrap().get_i32("version").unwrap(), 7);
}
