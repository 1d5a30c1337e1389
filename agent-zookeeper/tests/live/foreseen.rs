//! Lines 1 to 3 as plans see them: what they foresee is what acting then does, and asking changes nothing.

use agent_sdk::client::{Client, Record};
use agent_sdk::spec::{NodeState, State};
use serde_json::{Value, json};
use testbed::zookeeper::Server;

use crate::plans::{plan, plans, version};
use crate::rig::{ADD, INIT, JOIN, REMOVE, Rig, await_state, blank, by_member_address, done, failed, run, run_within};

/// Acts, and holds what happens against the plan that was made right before.
pub(crate) fn foreseen(servers: &[Server], client: &Client, kind: &str, args: &Value) -> Record {
    let before = version(servers);
    let plan = plan(client, kind, args);
    assert_eq!(version(servers), before, "a plan changes nothing: {plan:?}");
    let retried = plan.refused.as_ref().is_some_and(|refused| refused.retryable);
    let record = if retried {
        run_within(client, kind, args, 1)
    } else {
        run(client, kind, args)
    };
    let changes = !plan.steps.is_empty();
    match (&plan.refused, record.state) {
        (None, State::Done) => {
            let changed = done(&record)["changed"].as_bool().unwrap_or_default();
            assert_eq!(changed, changes, "{plan:?} {record:?}");
        }
        (Some(_), State::Failed) if retried => assert_eq!(failed(&record).0, "deadline", "{plan:?}"),
        (Some(refused), State::Failed) => assert_eq!(failed(&record).0, refused.code, "{record:?}"),
        _ => panic!("{plan:?} did not foresee {record:?}"),
    }
    assert_eq!(version(servers) != before, changes, "{plan:?} {record:?}");
    println!("{kind} {args}: foreseen, changes: {changes}");
    record
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn lines_1_to_3_go_as_their_plans_foresee() {
    let rig = Rig::start(blank(3));
    await_state(rig.agent(1), NodeState::Healthy);
    for outsider in [2, 3] {
        await_state(rig.agent(outsider), NodeState::NotInCluster);
    }
    let servers = rig.cluster.servers();
    let lines = [1, 2, 3].map(|number| rig.server(number).server_line());
    let [first, second, third] = [1, 2, 3].map(|number| rig.agent(number).client());
    let act = |client: &Client, kind: &str, node: &str| {
        let args = if kind == INIT {
            json!({})
        } else {
            json!({ "node": node })
        };
        foreseen(servers, client, kind, &args)
    };

    // 1: a node alone, and outsiders; each by its own agent and by those of the others.
    assert_eq!(
        plans(servers, first, &lines[0]),
        ["done", "done", "done", "refused: last_participant"]
    );
    assert_eq!(
        plans(servers, first, &lines[1]),
        ["done", "take server.2", "done", "done"]
    );
    for (client, take) in [(second, "take server.2"), (third, "take server.3")] {
        assert_eq!(
            plans(servers, client, &lines[0]),
            ["refused: other_ensemble", "done", take, "refused: last_participant"]
        );
    }
    // Two outsiders: the one that is named is no member, and follows the same ensemble.
    assert_eq!(
        plans(servers, second, &lines[2]),
        ["refused: other_ensemble", "take server.3", "take server.2", "done"]
    );
    for (client, kind, node) in [
        (first, INIT, ""),
        (first, JOIN, &*lines[1]),
        (first, REMOVE, &lines[1]),
        (first, REMOVE, &lines[0]),
        (second, INIT, ""),
        (second, ADD, &lines[0]),
        (second, REMOVE, &lines[0]),
        (third, REMOVE, "2"),
    ] {
        act(client, kind, node);
    }

    // 2: one joins, one is added, by what their agents show.
    foreseen(servers, second, JOIN, &by_member_address(rig.agent(1)));
    await_state(rig.agent(2), NodeState::Healthy);
    assert_eq!(
        plans(servers, third, &lines[1]),
        ["refused: other_ensemble", "done", "take server.3", "remove server 2"]
    );
    foreseen(servers, second, ADD, &by_member_address(rig.agent(3)));
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }

    // 3: each again, by each, of each.
    for (client, line) in [first, second, third]
        .into_iter()
        .flat_map(|client| lines.iter().map(move |line| (client, line)))
    {
        let id = line.split(['.', '=']).nth(1).unwrap();
        assert_eq!(
            plans(servers, client, line),
            ["done", "done", "done", &format!("remove server {id}")]
        );
        for kind in [INIT, ADD, JOIN] {
            act(client, kind, line);
        }
    }
    act(first, REMOVE, "77");
}
