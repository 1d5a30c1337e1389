//! What the agent offers, and what an action would do.

use insta::assert_snapshot;

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
    transcript.post("/api/v1/kinds/example.org/panics/plan", "{}");
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}
