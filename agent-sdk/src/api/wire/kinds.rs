//! What the agent offers, and what an action would do.

use insta::assert_snapshot;

use super::super::problem::Code;
use super::golden::Transcript;
use super::stage::Stage;

#[test]
fn the_catalogue() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.get("/api/v1/kinds");
    assert_snapshot!(transcript.finish());
}

#[test]
fn plans() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for goal in [1, 3, 1000] {
        transcript.post(
            "/api/v1/kinds/example.org/raise/plan",
            &format!(r#"{{"args":{{"goal":{goal}}}}}"#),
        );
    }
    transcript.post("/api/v1/kinds/example.org/raise/plan", r#"{"args":{"goal":"up"}}"#);
    transcript.post("/api/v1/kinds/example.org/raise/plan", "{}");
    transcript.post("/api/v1/kinds/example.org/raise/plan", r#"{"args":null,"id":1}"#);
    transcript.post("/api/v1/kinds/example.org/gate/plan", "{}");
    transcript.post("/api/v1/kinds/example.org/none/plan", "{}");
    transcript.post("/api/v1/kinds/agent.replicante.io/cluster.init/plan", "{}");
    transcript.post("/api/v1/kinds/example.org/broken/plan", r#"{"args":{"hangs":false}}"#);
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}

/// The clock is paused, so the plan's deadline is over as soon as nothing else is left to do.
#[test]
fn a_plan_that_hangs_is_given_up_and_leaves_its_place() {
    let stage = Stage::new();
    let clock = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let args = || Some(serde_json::value::RawValue::from_string(r#"{"hangs":true}"#.to_owned()).unwrap());
    let places = stage.service.planning.available_permits();
    for _ in 0..=places {
        let refused = clock
            .block_on(stage.service.plan("example.org/broken", args()))
            .unwrap_err();
        assert_eq!(refused.code(), Code::PlanTimeout);
        // The task ends on its own runtime.
        let places = u32::try_from(places).unwrap();
        drop(
            stage
                .runtime
                .block_on(stage.service.planning.acquire_many(places))
                .unwrap(),
        );
    }
    let _all = stage
        .service
        .planning
        .try_acquire_many(u32::try_from(places).unwrap())
        .unwrap();
    let refused = clock
        .block_on(stage.service.plan("example.org/broken", args()))
        .unwrap_err();
    assert_eq!(refused.code(), Code::Busy);
}
