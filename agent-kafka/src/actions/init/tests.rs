use agent_sdk::action::ActionError;

use super::*;
use crate::node::tests::{CLUSTER, Combined, answered, blank, no_login, node, refused};
use crate::storage::Format;

const OTHER: &str = "jEzV8xGuTdmBnWWYRD2JSg";

fn view(facts: Facts) -> View {
    View {
        facts: Arc::new(facts),
        new_id: OTHER.to_owned(),
        starts: true,
        started: false,
    }
}

fn given(id: &str) -> InitArgs {
    InitArgs {
        cluster_id: Some(id.to_owned()),
    }
}

fn format(cluster_id: &str) -> Step {
    Step(Up::Format {
        cluster_id: cluster_id.to_owned(),
        first: true,
    })
}

fn decide(args: &InitArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Initialised>, String> {
    Init::decide(args, view, last).map_err(|error| match error {
        ActionError::Retry(fault) => format!("retry {}", fault.code()),
        ActionError::Final(fault) => fault.code().to_owned(),
        other => panic!("{other}"),
    })
}

fn silent() -> Facts {
    node(Combined).dead(refused)
}

#[test]
fn a_blank_node_is_formatted_with_the_id_given_or_a_new_one_that_stays() {
    let blank = || view(silent().stored(blank()));
    let next = |id| {
        Ok(Next::Do {
            now: format(id),
            then: vec![Step(Up::Start)],
        })
    };
    assert_eq!(decide(&given(CLUSTER), &blank(), None), next(CLUSTER));
    let anything = InitArgs::default();
    assert_eq!(decide(&anything, &blank(), None), next(OTHER));
    // The agent was killed after the checkpoint: what is new now is not the cluster's id.
    assert_eq!(decide(&anything, &blank(), Some(&format(CLUSTER))), next(CLUSTER));
    for id in ["my-cluster", "", "-L6g3nShT-eMCtK--X86sw"] {
        assert_eq!(decide(&given(id), &blank(), None), Err("bad_cluster_id".to_owned()));
    }
}

#[test]
fn a_formatting_that_was_cut_off_is_gone_on_with_by_the_action_that_began_it() {
    let partial = || view(silent().stored(Storage::Partial(Some(CLUSTER.to_owned()))));
    let anything = InitArgs::default();
    assert_eq!(decide(&anything, &partial(), None), Err("storage_partial".to_owned()));
    let last = format(CLUSTER);
    assert!(matches!(decide(&anything, &partial(), Some(&last)), Ok(Next::Do { now, .. }) if now == last));
    let unclear = view(silent().stored(Storage::Unclear("no".to_owned())));
    assert_eq!(
        decide(&anything, &unclear, None),
        Err("retry storage_unclear".to_owned())
    );
}

#[test]
fn a_formatted_node_is_started_once_or_by_its_operator() {
    let anything = InitArgs::default();
    let start = Ok(Next::Do {
        now: Step(Up::Start),
        then: Vec::new(),
    });
    assert_eq!(decide(&anything, &view(silent()), None), start);
    let mut started = view(silent());
    started.started = true;
    assert_eq!(
        decide(&anything, &started, None),
        Ok(Next::Wait("the process starts".to_owned()))
    );
    let mut by_operator = view(silent());
    by_operator.starts = false;
    assert!(matches!(decide(&anything, &by_operator, None), Ok(Next::Wait(why)) if why.contains("operator")));
}

#[test]
fn storage_of_another_cluster_or_of_one_that_joins_is_left_alone() {
    assert_eq!(
        decide(&given(OTHER), &view(silent()), None),
        Err("other_cluster".to_owned())
    );
    let to_join = Storage::Formatted(Format {
        has_log: false,
        ..silent().storage.format().unwrap().clone()
    });
    let to_join = view(silent().stored(to_join));
    assert_eq!(
        decide(&InitArgs::default(), &to_join, None),
        Err("formatted_to_join".to_owned())
    );
    let elsewhere = view(node(Combined).stored(blank()));
    assert_eq!(
        decide(&InitArgs::default(), &elsewhere, None),
        Err("retry storage_unclear".to_owned())
    );
    // A process that lets nobody in is a process: neither is it formatted beside, nor is it started.
    let closed = view(node(Combined).dead(no_login).stored(blank()));
    let unclear = decide(&InitArgs::default(), &closed, None);
    assert_eq!(unclear, Err("retry storage_unclear".to_owned()));
    let closed = view(node(Combined).dead(no_login));
    let not_let_in = decide(&InitArgs::default(), &closed, None);
    assert_eq!(not_let_in, Err("retry not_let_in".to_owned()));
    let nowhere = view(silent().stored(Storage::Unknown));
    assert_eq!(
        decide(&InitArgs::default(), &nowhere, None),
        Err("not_configured".to_owned())
    );
    let broker = view(node(crate::node::tests::OfBroker));
    assert_eq!(
        decide(&InitArgs::default(), &broker, None),
        Err("not_configured".to_owned())
    );
}

#[test]
fn it_is_done_when_the_node_votes_and_its_broker_is_unfenced() {
    let anything = InitArgs::default();
    let done = |changed| {
        Ok(Next::Done(Initialised {
            cluster_id: CLUSTER.to_owned(),
            node_id: 2,
            voters: vec![1, 2, 3],
            changed,
        }))
    };
    assert_eq!(decide(&anything, &view(node(Combined)), None), done(false));
    assert_eq!(
        decide(&given(CLUSTER), &view(node(Combined)), Some(&Step(Up::Start))),
        done(true)
    );
    let follows = node(Combined).voters(&[(1, 1), (3, 3)]).observers(&[(2, 2)]);
    assert_eq!(
        decide(&anything, &view(follows), None),
        Err("formatted_to_join".to_owned())
    );
    let forbidden = node(Combined).no_quorum(answered(31));
    assert_eq!(decide(&anything, &view(forbidden), None), Err("not_allowed".to_owned()));
    for waits in [
        node(Combined).member(|member| member.fenced = true),
        node(Combined).quorum(|quorum| quorum.committed = None),
        node(Combined).no_quorum(refused()),
        node(Combined).no_quorum(answered(6)),
        node(Combined).no_broker(refused()),
    ] {
        assert!(matches!(decide(&anything, &view(waits), None), Ok(Next::Wait(_))));
    }
}
