//! `testbed up mongodb`.

use std::time::Duration;

use clap::Args;
use testbed::background::{self, Access, Node, Running};
use testbed::mongodb::{Cluster, Release};

use super::headline;
use crate::Place;

#[derive(Args, Debug)]
pub(crate) struct MongoDb {
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=7))]
    nodes: u32,
    /// Which release: 6.0.5, 5.0.4 or 4.4.2.
    #[arg(long, value_name = "RELEASE", default_value_t = Release::default())]
    version: Release,
    /// Make one set of the nodes; without it they are blank: they wait for somebody to do so.
    #[arg(long)]
    initiated: bool,
    /// Ask everybody for a login, with TLS for whoever wants it.
    #[arg(long)]
    auth: bool,
    /// How many seconds the nodes may take to come up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
    #[command(flatten)]
    place: Place,
}

impl MongoDb {
    pub(crate) fn up(self) -> anyhow::Result<()> {
        let Self {
            nodes,
            version,
            initiated,
            auth,
            within,
            place,
        } = self;
        let mut builder = Cluster::builder(nodes).release(version);
        if initiated {
            builder = builder.initiated();
        }
        if auth {
            builder = builder.secured();
        }
        let (running, access) = background::up_mongodb(&place.resolve()?, builder, Duration::from_secs(within))?;
        print(&running, &access);
        println!("\nEnd it with: {}", place.down());
        Ok(())
    }
}

fn print(running: &Running, access: &Access) {
    let Access {
        set_name,
        initiated,
        login,
        files,
    } = access;
    let state = if *initiated { "" } else { ", not initiated" };
    println!("{}\nset {set_name}{state}\n", headline(running));
    println!("{:<8} {:<16} {:<10} pid", "node", "address", "mode");
    for node in &running.nodes {
        let Node {
            name,
            client,
            mode,
            process,
            ..
        } = node;
        let pid = process.as_ref().map_or(0, |process| process.pid);
        println!("{name:<8} {client:<16} {mode:<10} {pid}");
    }
    if !files.is_empty() {
        println!();
    }
    for (title, path) in files {
        println!("{title:<12} {}", path.display());
    }
    let members: Vec<_> = running.nodes.iter().map(|node| node.member.as_str()).collect();
    if !initiated && let [first, ..] = members[..] {
        print_initiation(first, &members, access);
    }
    let title = if *initiated { "To connect:" } else { "To connect then:" };
    println!("\n{title}\n  {}", connection(&members, set_name, *login));
    if let Some((_, authority)) = files.iter().find(|(title, _)| *title == "authority") {
        println!("By TLS, add to it:\n  &tls=true&tlsCAFile={}", authority.display());
    }
}

/// How a set is made by hand.
fn print_initiation(first: &str, members: &[&str], access: &Access) {
    let shell = format!("mongosh 'mongodb://{first}/?directConnection=true' --eval");
    let entries = members.iter().enumerate();
    let entries: Vec<_> = entries
        .map(|(id, host)| format!("{{_id: {id}, host: \"{host}\"}}"))
        .collect();
    println!(
        "\nThe nodes are blank. To make a set of them, by MongoDB's shell:\n  {shell} 'rs.initiate({{_id: \"{}\", members: [{}]}})'",
        access.set_name,
        entries.join(", ")
    );
    if let Some((user, password)) = access.login {
        let user = format!("{{user: \"{user}\", pwd: \"{password}\", roles: [\"root\"]}}");
        println!("\nOnce {first} is primary, to make its first user:");
        println!("  {shell} 'db.getSiblingDB(\"admin\").createUser({user})'");
    }
}

/// For any driver.
fn connection(members: &[&str], set_name: &str, login: Option<(&str, &str)>) -> String {
    let members = members.join(",");
    match login {
        Some((user, password)) => {
            format!("mongodb://{user}:{password}@{members}/?replicaSet={set_name}&authSource=admin")
        }
        None => format!("mongodb://{members}/?replicaSet={set_name}"),
    }
}
