//! What an agent promises when its process dies: real processes, killed for real.
//!
//! This program is two things. Started by the test runner it is the tests; started by itself, with a variable set, it is
//! an agent (`victim`) whose actions write a journal of what they did and die where they are told to. So the agent that is
//! killed is always the one that was just built.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unnecessary_wraps,
    unreachable_pub,
    reason = "a test: a panic is its verdict, and nothing is public beyond it"
)]

mod clients;
mod conformance;
mod deaths;
mod journal;
mod looks;
mod process;
mod stops;
mod store;
mod victim;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    if std::env::var_os(victim::VARIABLE).is_some() {
        return victim::main();
    }
    if std::env::var_os(store::VARIABLE).is_some() {
        return store::main();
    }
    let arguments = Arguments::from_args();
    let trial = |name: &str, run: fn() -> Result<(), Failed>| Trial::test(name, run);
    let trials = vec![
        trial(
            "promise_l1_acknowledged_survives_100_kills",
            clients::acknowledged_survives,
        ),
        trial(
            "promise_l4_a_second_agent_on_the_state_directory_exits_and_says_who_holds_it",
            stops::second_agent,
        ),
        trial(
            "promise_l5_each_step_is_done_and_repeated_at_most_once_per_crash",
            deaths::around_each_step,
        ),
        trial(
            "promise_l6_the_interrupted_action_resumes_at_once",
            deaths::resumes_at_once,
        ),
        trial(
            "promise_l7_an_id_is_accepted_once_whoever_else_sends_it",
            clients::ids_are_unique,
        ),
        trial(
            "promise_l9_a_handler_that_kills_the_agent_fails_after_three_crashes",
            deaths::three_crashes,
        ),
        trial(
            "promise_l9_a_handler_that_never_yields_ends_the_agent",
            deaths::never_yields,
        ),
        trial(
            "promise_a4_a_dead_hung_or_lying_store_hurts_nothing_else",
            looks::whatever_the_store_does,
        ),
        trial(
            "a_stop_answers_what_is_in_flight_and_parks_the_running_action",
            stops::graceful,
        ),
        trial(
            "an_agent_that_is_killed_keeps_the_specification",
            conformance::survives_by_the_suite,
        ),
        trial("a_second_signal_ends_the_agent_at_once", stops::second_signal),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
