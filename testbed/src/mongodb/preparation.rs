//! Makes what a cluster needs before it is started: its directory, ports, scripts and files.

use std::fs;
use std::path::Path;

use super::arguments::{self, Own};
use super::error::failed;
use super::node::{Common, Seat};
use super::{Builder, Cluster, Error, Node, Server};
use crate::ports::Block;
use crate::supervision::Watchdog;
use crate::supervision::recorded::Recorded;
use crate::supervision::script::{self, quote};

impl Builder {
    /// Everything but the start: the server, directories, ports, files.
    ///
    /// # Errors
    /// A server that cannot be had, ports or directories; a number that is no node's.
    pub fn prepare(mut self) -> Result<Cluster, Error> {
        self.check()?;
        let server = self.release.fetch()?;
        let below = self.below.take().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&below).map_err(failed("create", &below))?;
        let directory = tempfile::Builder::new()
            .prefix("testbed-mongodb-")
            .tempdir_in(&below)
            .map_err(failed("create a directory in", &below))?;
        let watchdog = Watchdog::start(directory.path())?;
        // From here on the cluster removes it, or the watchdog.
        let directory = directory.keep();
        let common = Common {
            release: self.release,
            set_name: self.set_name.clone(),
            secured: self.secured,
            directory: directory.clone(),
        };
        let seats = (1..=self.nodes).map(|number| {
            let seat = Seat {
                number,
                member: self.is_member(number),
                standalone: self.standalone.contains(&number),
                process: Recorded::new(format!("mongo-{number}"), directory.join(format!("mongo-{number}"))),
            };
            Ok((seat, Block::claim()?))
        });
        let cluster = Cluster::new(common, seats.collect::<Result<_, Error>>()?, watchdog);
        if self.secured {
            cluster.files().write()?;
        }
        let mongod = cluster.mongod();
        let bin = directory.join("bin");
        fs::create_dir(&bin).map_err(failed("create", &bin))?;
        script::write(&mongod, &wrapper(&server)).map_err(failed("write", &mongod))?;
        for node in cluster.nodes() {
            let more = self.more.remove(&node.number()).unwrap_or_default();
            node.write(&mongod, &more)?;
        }
        Ok(cluster)
    }
}

impl Node {
    /// Writes its files; `more` are arguments of its own.
    fn write(&self, mongod: &Path, more: &[String]) -> Result<(), Error> {
        let data = self.data_directory();
        fs::create_dir_all(&data).map_err(failed("create", &data))?;
        let arguments = arguments::mongod(Own {
            port: self.address().port(),
            data: &data,
            set_name: (!self.seat.standalone).then_some(&self.common.set_name),
            security: self.common.secured.then(|| self.common.files()),
            more,
        });
        let words: Vec<_> = [quote(mongod)].into_iter().chain(arguments.iter().map(quote)).collect();
        let process = &self.seat.process;
        let text = script::start(
            self.name(),
            process.directory(),
            self.ports.lock_path(),
            &words.join(" "),
        );
        let script = process.start_script();
        script::write(&script, &text).map_err(failed("write", &script))
    }
}

/// The server with the libraries that it needs: a shell that becomes it.
fn wrapper(server: &Server) -> String {
    let Server { mongod, libraries } = server;
    let set = |place| format!("export LD_LIBRARY_PATH={}\n", quote(place));
    let environment = libraries.as_ref().map(set).unwrap_or_default();
    format!("#!/bin/sh\n{environment}exec {} \"$@\"\n", quote(mongod))
}
