//! What plans say. Each is held against what there is: a step against the version of the ensemble's configuration, which the
//! names of the servers' own files tell, also of servers that are dead or hang.

use agent_sdk::action::PlannedStep;
use agent_sdk::client::{Client, PlanAnswer, wait};
use serde_json::{Value, json};
use testbed::zookeeper::Server;

use crate::rig::{ADD, INIT, JOIN, REMOVE};

/// The plans where nobody can be reached that has a quorum.
pub(crate) const NO_QUORUM: [&str; 4] = ["refused: no_quorum"; 4];

/// What the four actions would do, in a word each: init, add, join, remove, with this node as the one they name.
///
/// `done`, `refused: CODE`, or the change; `, if it may` where only acting shows whether the agent has the authority.
/// Nothing is changed by asking, and a change is planned on the version that there is.
pub(crate) fn plans(servers: &[Server], client: &Client, node: &str) -> [String; 4] {
    let version = version(servers);
    let told = [INIT, ADD, JOIN, REMOVE].map(|kind| {
        let args = if kind == INIT {
            json!({})
        } else {
            json!({ "node": node })
        };
        told(&plan(client, kind, &args), version)
    });
    assert_eq!(self::version(servers), version, "plans change nothing: {told:?}");
    println!("plans for {node}: {told:?}");
    told
}

fn told(plan: &PlanAnswer, version: Option<u64>) -> String {
    match (plan.done, &plan.refused, &plan.steps[..]) {
        (true, None, []) => {
            assert!(plan.unchecked.is_empty(), "{plan:?}");
            "done".to_owned()
        }
        (false, Some(refused), []) => format!("refused: {}", refused.code),
        (false, None, [step]) => {
            let base = u64::from_str_radix(step.data["base"].as_str().unwrap(), 16).unwrap();
            assert_eq!(Some(base), version, "{step:?}");
            for fact in ["whether the servers allow changes", "whether enough voters"] {
                assert!(plan.unchecked.iter().any(|line| line.starts_with(fact)), "{plan:?}");
            }
            let authority = plan.unchecked.iter().any(|line| line.contains("the agent may change"));
            let edit = step.summary.split(['=', ',']).next().unwrap();
            let edit = edit.trim_end_matches(" from the ensemble");
            format!("{edit}{}", if authority { ", if it may" } else { "" })
        }
        _ => panic!("neither done nor refused nor one step: {plan:?}"),
    }
}

/// Version of the ensemble's configuration: the highest that any server has written down.
pub(crate) fn version(servers: &[Server]) -> Option<u64> {
    let files = servers.iter().flat_map(|server| {
        let directory = server.config_file().parent().unwrap().to_owned();
        std::fs::read_dir(directory).unwrap()
    });
    let version = |name: String| u64::from_str_radix(name.strip_prefix("zoo.cfg.dynamic.")?, 16).ok();
    files
        .filter_map(|file| version(file.unwrap().file_name().into_string().ok()?))
        .max()
}

pub(crate) fn plan(client: &Client, kind: &str, args: &Value) -> PlanAnswer {
    let args = serde_json::value::to_raw_value(args).unwrap();
    wait(client.plan(kind, Some(&args))).unwrap()
}

/// The code with which a plan says that the action would fail.
pub(crate) fn plan_refused(client: &Client, kind: &str, args: &Value) -> String {
    let plan = plan(client, kind, args);
    assert!(!plan.done && plan.steps.is_empty(), "{plan:?}");
    plan.refused.unwrap_or_else(|| panic!("not refused")).code
}

/// The one step of a plan, which says what only acting shows.
pub(crate) fn planned(client: &Client, kind: &str, args: &Value) -> PlannedStep {
    let mut plan = plan(client, kind, args);
    assert!(
        !plan.done && plan.refused.is_none() && plan.steps.len() == 1,
        "{plan:?}"
    );
    assert!(!plan.unchecked.is_empty(), "{plan:?}");
    plan.steps.remove(0)
}
